/** The LSTM with any of its options. */
import { clone } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

import type {
  LstmVariantBackwardAttributes,
  LstmVariantBackwardTensors,
  LstmVariantForwardAttributes,
  LstmVariantForwardTensors,
} from "../../reference/index.js";
import { nativeAddon } from "../addon.js";
import type { Call } from "../kernel-call.js";
import type { NativeBackend } from "../native-backend.js";
import type { LstmVariantOptionArrays } from "./sequence-functions.js";

export function lstmVariantSequenceForward({
  inputs,
  attrs: { coupledGates, epsilon = 0, onTimeSteps },
  backend,
}: Call<LstmVariantForwardTensors, LstmVariantForwardAttributes>): Tensor[] {
  const { inputGates, recurrentKernel, projection, initialHidden, initialCell } = inputs;
  const [numSteps, numRows, gateSize] = inputGates.shape;
  const [stateSize, hiddenSize] = [recurrentKernel.shape[0], initialCell.shape[1]];
  const isNormalized = inputs.recurrentGain !== undefined;
  const ofCells = [numSteps, numRows, hiddenSize];
  const allocateIf = (isThere: boolean, shape: readonly number[]): Tensor | undefined =>
    isThere ? backend.allocate(shape) : undefined;
  const hidden = backend.allocate([numSteps + 1, numRows, stateSize]);
  const cell = backend.allocate([numSteps + 1, numRows, hiddenSize]);
  const cellCandidates = backend.allocate(ofCells);
  const gates = backend.allocate([numSteps, numRows, gateSize]);
  const cellActivations = backend.allocate(ofCells);
  const projectionInputs = allocateIf(projection !== undefined, ofCells);
  const recurrentNormalized = allocateIf(isNormalized, gates.shape);
  const recurrentInverseDeviations = allocateIf(isNormalized, [numSteps, numRows]);
  const cellNormalized = allocateIf(isNormalized, ofCells);
  const cellInverseDeviations = allocateIf(isNormalized, [numSteps, numRows]);
  backend.floats(hidden).set(backend.floats(initialHidden));
  backend.floats(cell).set(backend.floats(initialCell));
  nativeAddon().lstmVariantForward({
    ...optionArrays(inputs, backend),
    inputGates: backend.floats(inputGates),
    recurrentKernel: backend.floats(recurrentKernel),
    projection: backend.floatsIf(projection),
    coupledGates,
    epsilon,
    numSteps,
    numRows,
    hiddenSize,
    stateSize,
    hidden: backend.floats(hidden),
    cell: backend.floats(cell),
    cellCandidates: backend.floats(cellCandidates),
    gates: backend.floats(gates),
    cellActivations: backend.floats(cellActivations),
    projectionInputs: backend.floatsIf(projectionInputs),
    recurrentNormalized: backend.floatsIf(recurrentNormalized),
    recurrentInverseDeviations: backend.floatsIf(recurrentInverseDeviations),
    cellNormalized: backend.floatsIf(cellNormalized),
    cellInverseDeviations: backend.floatsIf(cellInverseDeviations),
    onTimeSteps,
  });
  const optional = [
    projectionInputs,
    recurrentNormalized,
    recurrentInverseDeviations,
    cellNormalized,
    cellInverseDeviations,
  ];
  const always = [hidden, cell, cellCandidates, gates, cellActivations];
  return [...always, ...optional.filter((tensor) => tensor !== undefined)];
}

export function lstmVariantSequenceBackward({
  inputs,
  attrs: { coupledGates, onTimeSteps },
  backend,
}: Call<LstmVariantBackwardTensors, LstmVariantBackwardAttributes>): Tensor[] {
  const { hiddenGradient, cellGradient, recurrentKernelTransposed, projectionTransposed } = inputs;
  const { cell, gates, cellActivations } = inputs;
  const [numSteps, numRows, stateSize] = hiddenGradient.shape;
  const hiddenSize = cell.shape[2];
  const isNormalized = inputs.recurrentGain !== undefined;
  const gateGradients = backend.allocate(gates.shape);
  const recurrentGradients = isNormalized ? backend.allocate(gates.shape) : undefined;
  const initialHiddenGradient = backend.allocate([numRows, stateSize]);
  const initialCellGradient = backend.allocate([numRows, hiddenSize]);
  const projectionGradients = projectionTransposed && backend.allocate(hiddenGradient.shape);
  const cellNormGradients = isNormalized ? backend.allocate(cellActivations.shape) : undefined;
  nativeAddon().lstmVariantBackward({
    ...optionArrays(inputs, backend),
    hiddenGradient: backend.floats(hiddenGradient),
    cellGradient: backend.floatsIf(cellGradient),
    recurrentKernel: backend.floats(recurrentKernelTransposed),
    projection: backend.floatsIf(projectionTransposed),
    transposed: true,
    coupledGates,
    // The inverse deviations have it in them.
    epsilon: 0,
    numSteps,
    numRows,
    hiddenSize,
    stateSize,
    cell: backend.floats(cell),
    gates: backend.floats(gates),
    cellActivations: backend.floats(cellActivations),
    recurrentNormalized: backend.floatsIf(inputs.recurrentNormalized),
    recurrentInverseDeviations: backend.floatsIf(inputs.recurrentInverseDeviations),
    cellNormalized: backend.floatsIf(inputs.cellNormalized),
    cellInverseDeviations: backend.floatsIf(inputs.cellInverseDeviations),
    gateGradients: backend.floats(gateGradients),
    recurrentGradients: backend.floatsIf(recurrentGradients),
    initialHiddenGradient: backend.floats(initialHiddenGradient),
    initialCellGradient: backend.floats(initialCellGradient),
    projectionGradients: backend.floatsIf(projectionGradients),
    cellNormGradients: backend.floatsIf(cellNormGradients),
    onTimeSteps,
  });
  return [
    gateGradients,
    recurrentGradients ?? clone(gateGradients),
    initialHiddenGradient,
    initialCellGradient,
    ...[projectionGradients, cellNormGradients].filter((tensor) => tensor !== undefined),
  ];
}

function optionArrays(
  inputs: Pick<LstmVariantForwardTensors, keyof LstmVariantOptionArrays>,
  backend: NativeBackend,
): LstmVariantOptionArrays {
  return {
    peephole: backend.floatsIf(inputs.peephole),
    recurrentGain: backend.floatsIf(inputs.recurrentGain),
    cellGain: backend.floatsIf(inputs.cellGain),
    cellBias: backend.floatsIf(inputs.cellBias),
    keepHidden: backend.floatsIf(inputs.keepHidden),
    keepCell: backend.floatsIf(inputs.keepCell),
  };
}
