import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { SideStack } from "../../layout/index.js";
import { addGradient, dropout, embedding, recurrentStack, zeroStates } from "../layers/index.js";
import type { LayerState } from "../layers/index.js";
import { Padding } from "../pass/index.js";
import type { Pass } from "../pass/index.js";
import { tokensInside } from "./pair-batch.js";
import type { TokenSequences } from "./pair-batch.js";

/** States of each layer, of each of its directions. */
export type StackStates = readonly (readonly LayerState[])[];

export interface TokenSideRun {
  /** [T,B,R] of the last layer, before dropout; zeros in the padding. */
  readonly undropped: Tensor3D;
  /** [T,B,R] after dropout. */
  readonly outputs: Tensor3D;
  /** After each row's last token. */
  readonly final: StackStates;
  /** Hands the gradients of the side's parameters to the pass. */
  readonly backward: (gradients: TokenSideGradients) => StackStates;
}

export interface TokenSideGradients {
  /** [T,B,R], with respect to the outputs. */
  readonly outputs: Tensor3D;
  /** [T,B,R], what the outputs before dropout get besides; undefined for nothing. */
  readonly undropped: Tensor3D | undefined;
  /** With respect to the final states, where something has read them. */
  readonly final: StackStates | undefined;
  /** Of the side's table through a head that multiplies with it. */
  readonly tied: readonly Float32Array[] | undefined;
}

export interface TokenSideOptions {
  /** Tells the random masks of one side from those of the other. */
  readonly firstMaskLayer: number;
  /** Zeros where left out. */
  readonly initial?: StackStates;
}

/** One side of an encoder–decoder: embedding → dropout → recurrent layers → dropout. */
export function tokenSide(
  pass: Pass,
  { spec, shape }: SideStack,
  sequences: TokenSequences,
  {
    firstMaskLayer,
    initial = zeroStates(spec, shape.bidirectional, pass.numRows),
  }: TokenSideOptions,
): TokenSideRun {
  const { numSteps, lengths } = sequences;
  const { bidirectional, prefix } = shape;
  const ids = tokensInside(sequences);
  let tied: readonly Float32Array[] | undefined;
  const embedded = embedding(
    pass,
    { ids, numSteps, numRows: pass.numRows },
    {
      tableName: tableOf(prefix),
      dropout: spec.embeddingDropout,
      maskLayer: firstMaskLayer,
      tiedGradients: () => tied,
    },
  );
  const masks = { layer: firstMaskLayer, isLocked: spec.variationalDropout };
  const inputs = dropout(pass, embedded.outputs, {
    ...masks,
    rate: spec.inputDropout,
    purpose: "inputDropout",
  });
  const stack = recurrentStack({
    pass,
    spec,
    bidirectional,
    prefix,
    firstMaskLayer,
    inputs: inputs.outputs,
    initial,
    padding: new Padding(lengths, numSteps),
    lengths,
  });
  const above = dropout(pass, stack.outputs, {
    ...masks,
    rate: spec.outputDropout,
    purpose: "outputDropout",
  });
  return {
    undropped: stack.outputs,
    outputs: above.outputs,
    final: stack.final,
    backward(gradients) {
      tied = gradients.tied;
      const ofStack = addGradient(above.backward(gradients.outputs), gradients.undropped);
      const below = stack.backward(ofStack, gradients.final);
      embedded.backward(inputs.backward(below.inputs!));
      return below.initial;
    },
  };
}

/** The name of a side's table. */
export const tableOf = (prefix: string): string => `${prefix}embedding.table`;
