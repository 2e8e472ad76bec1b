import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { LanguageModelSpec } from "../../spec/index.js";
import {
  addGradient,
  addTied,
  dropout,
  embedding,
  penaltyGradients,
  projectedInputs,
  recurrentStack,
} from "../layers/index.js";
import type { LayerState, Tokens } from "../layers/index.js";
import { nodeSums } from "../pass/index.js";
import type { Pass } from "../pass/index.js";

/**
 * Largest vocabulary for which layer 0 reads its input gates from a projected table. A matter of the
 * spec alone: a choice by batch size would give a leaf other bits in another batch.
 */
const MAX_PROJECTED_VOCABULARY = 256;

export const TABLE_NAME = "embedding.table";

export interface TokenStackRun {
  /** [T,B,R], after dropout. */
  readonly outputs: Tensor3D;
  /** Of each layer, after the last step. */
  readonly final: readonly LayerState[];
  /**
   * @param gradient [T,B,R], with respect to the outputs.
   * @param weights [T,B]: what each position counts, for the penalties.
   * @param tiedGradients of the table through a head that multiplies with it.
   */
  readonly backward: (
    gradient: Tensor3D,
    weights: Float32Array,
    tiedGradients: readonly Float32Array[] | undefined,
  ) => void;
}

/**
 * Embedding → dropout → recurrent layers → dropout.
 *
 * @param countedSteps [B]: see `RecurrentStackCall`.
 */
export function tokenStack(
  pass: Pass,
  spec: LanguageModelSpec,
  tokens: Tokens,
  initial: readonly LayerState[],
  countedSteps?: Int32Array,
): TokenStackRun {
  let tied: readonly Float32Array[] | undefined;
  const source = isProjected(spec)
    ? projectedSource(pass, tokens, () => tied)
    : embeddedSource(pass, spec, tokens, () => tied);
  const stack = recurrentStack({
    pass,
    spec,
    bidirectional: false,
    prefix: "",
    firstMaskLayer: 0,
    inputs: source.inputs,
    initial: initial.map((state) => [state]),
    padding: undefined,
    lengths: undefined,
    countedSteps,
  });
  const dropped = dropout(pass, stack.outputs, {
    rate: spec.outputDropout,
    purpose: "outputDropout",
    layer: 0,
    isLocked: spec.variationalDropout,
  });
  return {
    outputs: dropped.outputs,
    final: stack.final.map(([state]) => state!),
    backward(gradient, weights, tiedGradients) {
      tied = tiedGradients;
      const penalties = penaltyGradients(stack.outputs, dropped.outputs, { ...spec, weights });
      const ofOutputs = dropped.backward(addGradient(gradient, penalties.dropped));
      const { inputs } = stack.backward(addGradient(ofOutputs, penalties.outputs));
      source.backward(inputs);
    },
  };
}

/** Whether nothing stands between the table and the first layer's product. */
function isProjected(spec: LanguageModelSpec): boolean {
  return (
    spec.vocabularySize <= MAX_PROJECTED_VOCABULARY &&
    spec.inputDropout === 0 &&
    spec.embeddingDropout === 0 &&
    !spec.layerNorm
  );
}

interface Source {
  readonly inputs: Tensor3D | ReturnType<typeof projectedInputs>;
  readonly backward: (gradient: Tensor3D | undefined) => void;
}

type TiedGradients = () => readonly Float32Array[] | undefined;

function projectedSource(pass: Pass, tokens: Tokens, tied: TiedGradients): Source {
  const onTableGradient = (perLeaf: readonly Float32Array[]): void => {
    pass.onGradient(TABLE_NAME, nodeSums(pass, addTied(perLeaf, tied())));
  };
  return {
    inputs: projectedInputs(pass, TABLE_NAME, tokens, onTableGradient),
    backward: () => undefined,
  };
}

function embeddedSource(
  pass: Pass,
  spec: LanguageModelSpec,
  tokens: Tokens,
  tiedGradients: TiedGradients,
): Source {
  const embedded = embedding(pass, tokens, {
    tableName: TABLE_NAME,
    dropout: spec.embeddingDropout,
    maskLayer: 0,
    tiedGradients,
  });
  const dropped = dropout(pass, embedded.outputs, {
    rate: spec.inputDropout,
    purpose: "inputDropout",
    layer: 0,
    isLocked: spec.variationalDropout,
  });
  return {
    inputs: dropped.outputs,
    backward: (gradient) => {
      embedded.backward(dropped.backward(gradient!));
    },
  };
}
