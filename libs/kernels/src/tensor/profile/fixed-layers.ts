import { abs, transpose } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

import {
  gruSequenceBackward,
  gruSequenceForward,
  layerNorm,
  layerNormGradient,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
  rnnSequenceBackward,
  rnnSequenceForward,
} from "../contract/index.js";
import type { FixedValues } from "./fixed-values.js";

const [numSteps, numRows, hiddenSize, projectedSize] = [5, 3, 19, 11];
const epsilon = 2 ** -10;

/** Recurrent layers in each form, forward and backward, and layer normalization: all results. */
export function fixedLayers(values: FixedValues): readonly Tensor[] {
  return [
    ...[true, false].flatMap((resetAfter) => gru(values, resetAfter)),
    ...(["tanh", "relu"] as const).flatMap((activation) => rnn(values, activation)),
    ...[true, false].flatMap((coupledGates) => lstmVariants(values, coupledGates)),
    ...normalization(values),
  ];
}

function gru(values: FixedValues, resetAfter: boolean): Tensor[] {
  const recurrentKernel = values.matrix(hiddenSize, 3 * hiddenSize);
  const options = { resetAfter, keep: abs(values.sequence(numSteps, numRows, hiddenSize)) };
  const sequence = gruSequenceForward({
    ...options,
    inputGates: values.sequence(numSteps, numRows, 3 * hiddenSize),
    recurrentKernel,
    candidateBias: resetAfter ? values.vector(hiddenSize) : undefined,
    initialHidden: values.matrix(numRows, hiddenSize),
  });
  const gradients = gruSequenceBackward({
    ...sequence,
    ...options,
    hiddenGradient: values.sequence(numSteps, numRows, hiddenSize),
    recurrentKernelTransposed: transpose(recurrentKernel),
  });
  return tensorsIn(sequence, gradients);
}

function rnn(values: FixedValues, activation: "tanh" | "relu"): Tensor[] {
  const recurrentKernel = values.matrix(hiddenSize, hiddenSize);
  const options = { activation, keep: abs(values.sequence(numSteps, numRows, hiddenSize)) };
  const sequence = rnnSequenceForward({
    ...options,
    inputGates: values.sequence(numSteps, numRows, hiddenSize),
    recurrentKernel,
    initialHidden: values.matrix(numRows, hiddenSize),
  });
  const gradients = rnnSequenceBackward({
    ...sequence,
    ...options,
    hiddenGradient: values.sequence(numSteps, numRows, hiddenSize),
    recurrentKernelTransposed: transpose(recurrentKernel),
  });
  return tensorsIn(sequence, gradients);
}

function lstmVariants(values: FixedValues, coupledGates: boolean): Tensor[] {
  const numGates = coupledGates ? 3 : 4;
  const recurrentKernel = values.matrix(projectedSize, numGates * hiddenSize);
  const projection = values.matrix(hiddenSize, projectedSize);
  const options = {
    coupledGates,
    peephole: values.matrix(coupledGates ? 2 : 3, hiddenSize),
    layerNorm: {
      recurrentGain: values.vector(numGates * hiddenSize),
      cellGain: values.vector(hiddenSize),
      cellBias: values.vector(hiddenSize),
      epsilon,
    },
    keep: {
      hidden: abs(values.sequence(numSteps, numRows, projectedSize)),
      cell: abs(values.sequence(numSteps, numRows, hiddenSize)),
    },
  } as const;
  const sequence = lstmVariantSequenceForward({
    ...options,
    inputGates: values.sequence(numSteps, numRows, numGates * hiddenSize),
    recurrentKernel,
    projection,
    initialHidden: values.matrix(numRows, projectedSize),
    initialCell: values.matrix(numRows, hiddenSize),
  });
  const gradients = lstmVariantSequenceBackward({
    ...sequence,
    ...options,
    hiddenGradient: values.sequence(numSteps, numRows, projectedSize),
    cellGradient: values.sequence(numSteps, numRows, hiddenSize),
    recurrentKernelTransposed: transpose(recurrentKernel),
    projectionTransposed: transpose(projection),
  });
  return tensorsIn(sequence, gradients);
}

function normalization(values: FixedValues): Tensor[] {
  const gain = values.vector(hiddenSize);
  const rows = layerNorm({
    rows: values.matrix(numRows, hiddenSize),
    gain,
    bias: values.vector(hiddenSize),
    epsilon,
  });
  const gradient = values.matrix(numRows, hiddenSize);
  return [...tensorsIn(rows), layerNormGradient({ ...rows, gradient, gain })];
}

/** The tensors of kernels' results, of which no option was left out. */
export function tensorsIn(...results: readonly object[]): Tensor[] {
  return results.flatMap((result) => Object.values(result) as Tensor[]);
}
