import { add, concat, reverse, slice, zeros } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

import { cellSizes } from "../../../layout/index.js";
import type { RecurrentStackSpec } from "../../../spec/index.js";
import type { Padding, Pass } from "../../pass/index.js";
import type { LayerState } from "../cells/index.js";
import type { Forwarded } from "../forwarded.js";
import { batchNormalization, layerNormalization } from "../normalization/index.js";
import { dropout } from "../regularization/index.js";
import { sequenceInputs } from "./gate-inputs.js";
import type { GateInputs } from "./gate-inputs.js";
import { recurrentLayer } from "./recurrent-layer.js";

export interface RecurrentStackCall {
  readonly pass: Pass;
  readonly spec: RecurrentStackSpec;
  readonly bidirectional: boolean;
  /** What the names of its parameter tensors start with, such as `encoder.`; may be empty. */
  readonly prefix: string;
  /** Tells its random masks from those of another stack: added to the layers' numbers. */
  readonly firstMaskLayer: number;
  /** What the first layer reads: values, or tokens of a small vocabulary. */
  readonly inputs: Tensor3D | GateInputs;
  /** Of each layer, of each of its directions. */
  readonly initial: readonly (readonly LayerState[])[];
  readonly padding: Padding | undefined;
  /** [B]: steps of each row; undefined when all rows have all steps. */
  readonly lengths: Int32Array | undefined;
  /** [B]: steps of each row that batch normalization is of; undefined for all of a row's. */
  readonly countedSteps?: Int32Array | undefined;
}

export interface RecurrentStackRun {
  /** [T,B,C] of the last layer, zeros in the padding. */
  readonly outputs: Tensor3D;
  /** After each row's last step; of each layer, of each of its directions. */
  readonly final: readonly (readonly LayerState[])[];
  /**
   * @param gradient [T,B,C], with respect to the outputs.
   * @param final with respect to the final states, if something else has read them.
   */
  readonly backward: (
    gradient: Tensor3D,
    final?: readonly (readonly LayerState[])[],
  ) => {
    /** [T,B,I]; undefined if the inputs take no gradient. */
    readonly inputs: Tensor3D | undefined;
    readonly initial: readonly (readonly LayerState[])[];
  };
}

/** Recurrent layers on top of each other, with what the spec puts between them. */
export function recurrentStack(call: RecurrentStackCall): RecurrentStackRun {
  const runs: LayerRun[] = [];
  for (let layer = 0; layer < call.spec.numLayers; layer++) {
    runs.push(stackedLayer(call, layer, runs[layer - 1]?.outputs));
  }
  return {
    outputs: runs.at(-1)!.outputs,
    final: runs.map(({ final }) => final),
    backward(gradient, final) {
      let ofOutputs: Tensor3D | undefined = gradient;
      const initial: (readonly LayerState[])[] = [];
      for (let layer = runs.length - 1; layer >= 0; layer--) {
        const gradients: LayerGradients = runs[layer]!.backward(ofOutputs!, final?.[layer]);
        ofOutputs = gradients.inputs;
        initial.unshift(gradients.initial);
      }
      return { inputs: ofOutputs, initial };
    },
  };
}

interface LayerGradients {
  readonly inputs: Tensor3D | undefined;
  readonly initial: readonly LayerState[];
}

interface LayerRun {
  readonly outputs: Tensor3D;
  readonly final: readonly LayerState[];
  readonly backward: (gradient: Tensor3D, final?: readonly LayerState[]) => LayerGradients;
}

/** Dropout of what is below → one or two directions → residual → normalization. */
function stackedLayer(
  call: RecurrentStackCall,
  layer: number,
  below: Tensor3D | undefined,
): LayerRun {
  const { pass, spec, prefix, firstMaskLayer } = call;
  const isResidual = spec.residual && below !== undefined;
  const dropped =
    below &&
    dropout(pass, below, {
      rate: spec.dropout,
      purpose: "dropout",
      layer: firstMaskLayer + layer - 1,
      isLocked: spec.variationalDropout,
    });
  const recurrent = directions(call, layer, dropped?.outputs ?? call.inputs);
  const summed = isResidual ? add<Tensor3D>(recurrent.outputs, below) : recurrent.outputs;
  const norm = normalization(call, summed, `${prefix}layers.${layer}.norm`);
  return {
    outputs: norm.outputs,
    final: recurrent.final,
    backward(gradient, final) {
      const ofSum = norm.backward(gradient);
      const { inputs, initial } = recurrent.backward(ofSum, final);
      if (dropped === undefined) return { inputs, initial };
      const ofBelow = dropped.backward(inputs!);
      return { inputs: isResidual ? add(ofBelow, ofSum) : ofBelow, initial };
    },
  };
}

function normalization(
  { pass, spec, padding, lengths, countedSteps }: RecurrentStackCall,
  inputs: Tensor3D,
  prefix: string,
): Forwarded {
  switch (spec.normalization) {
    case "none":
      return { outputs: inputs, backward: (gradient) => gradient };
    case "layer": {
      const { outputs, backward } = layerNormalization(pass, inputs, prefix);
      if (padding === undefined) return { outputs, backward };
      // A normalized zero is the bias, which does not belong in the padding.
      return {
        outputs: padding.mask(outputs),
        backward: (gradient) => backward(padding.mask(gradient)),
      };
    }
    case "batch":
      return batchNormalization(pass, inputs, { lengths, countedSteps }, prefix);
    default:
      return spec.normalization satisfies never;
  }
}

/** One direction, or two whose outputs are side by side (Schuster and Paliwal, 1997). */
function directions(
  call: RecurrentStackCall,
  layer: number,
  inputs: Tensor3D | GateInputs,
): LayerRun {
  const { pass, spec, bidirectional, padding } = call;
  const prefix = `${call.prefix}layers.${layer}`;
  const maskLayer = call.firstMaskLayer + layer;
  const [forwardInitial, backwardInitial] = call.initial[layer]!;
  const shared = { pass, spec, padding };
  if (!bidirectional) {
    const gateInputs = "gates" in inputs ? inputs : sequenceInputs(pass, inputs);
    const initial = forwardInitial!;
    const run = recurrentLayer({ ...shared, prefix, maskLayer, inputs: gateInputs, initial });
    return {
      outputs: run.outputs,
      final: [run.final],
      backward(gradient, final) {
        const gradients = run.backward(gradient, final?.[0]);
        return { inputs: gradients.inputs, initial: [gradients.initial] };
      },
    };
  }
  const reversed = (sequence: Tensor3D): Tensor3D =>
    padding === undefined ? reverse(sequence, 0) : padding.reverse(sequence);
  const values = inputs as Tensor3D;
  const ahead = recurrentLayer({
    ...shared,
    prefix: `${prefix}.forward`,
    maskLayer,
    inputs: sequenceInputs(pass, values),
    initial: forwardInitial!,
  });
  const back = recurrentLayer({
    ...shared,
    prefix: `${prefix}.backward`,
    maskLayer: maskLayer + BACKWARD_MASKS,
    inputs: sequenceInputs(pass, reversed(values)),
    initial: backwardInitial!,
  });
  const size = ahead.outputs.shape[2];
  return {
    outputs: concat([ahead.outputs, reversed(back.outputs)], 2),
    final: [ahead.final, back.final],
    backward(gradient, final) {
      const [numSteps, numRows] = gradient.shape;
      const half = (first: number): Tensor3D =>
        slice(gradient, [0, 0, first], [numSteps, numRows, size]);
      const ofBack = back.backward(reversed(half(size)), final?.[1]);
      const ofAhead = ahead.backward(half(0), final?.[0]);
      return {
        inputs: add(ofAhead.inputs!, reversed(ofBack.inputs!)),
        initial: [ofAhead.initial, ofBack.initial],
      };
    },
  };
}

/** Added to a layer's number for the masks of its direction from last to first. */
const BACKWARD_MASKS = 1 << 16;

/** States of zeros: of each layer, of each of its directions. */
export function zeroStates(
  spec: RecurrentStackSpec,
  bidirectional: boolean,
  numRows: number,
): LayerState[][] {
  const { outputSize, hiddenSize, hasCellState } = cellSizes(spec);
  const zero = (): LayerState => ({
    hidden: zeros([numRows, outputSize]),
    cell: hasCellState ? zeros([numRows, hiddenSize]) : undefined,
  });
  const directions = bidirectional ? [0, 1] : [0];
  return Array.from({ length: spec.numLayers }, () => directions.map(zero));
}
