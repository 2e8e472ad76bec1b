/** The plain LSTM. */
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import type { TimeStepAttributes } from "../../registered-kernel.js";
import { nativeAddon } from "../addon.js";
import type { Call } from "../kernel-call.js";

export function lstmSequenceForward({
  inputs,
  attrs,
  backend,
}: Call<
  {
    inputGates: Tensor3D;
    recurrentKernel: Tensor2D;
    initialHidden: Tensor2D;
    initialCell: Tensor2D;
  },
  TimeStepAttributes
>): Tensor[] {
  const { inputGates, recurrentKernel, initialHidden, initialCell } = inputs;
  const [numSteps, numRows] = inputGates.shape;
  const hiddenSize = recurrentKernel.shape[0];
  const hidden = backend.allocate([numSteps + 1, numRows, hiddenSize]);
  const cell = backend.allocate([numSteps + 1, numRows, hiddenSize]);
  const gates = backend.allocate([numSteps, numRows, 4 * hiddenSize]);
  const cellActivations = backend.allocate([numSteps, numRows, hiddenSize]);
  backend.floats(hidden).set(backend.floats(initialHidden));
  backend.floats(cell).set(backend.floats(initialCell));
  nativeAddon().lstmForward(
    backend.floats(inputGates),
    backend.floats(recurrentKernel),
    backend.floats(hidden),
    backend.floats(cell),
    backend.floats(gates),
    backend.floats(cellActivations),
    numSteps,
    numRows,
    hiddenSize,
    attrs.onTimeSteps,
  );
  return [hidden, cell, gates, cellActivations];
}

export function lstmSequenceBackward({
  inputs,
  attrs,
  backend,
}: Call<
  {
    hiddenGradient: Tensor3D;
    cellGradient?: Tensor3D;
    gates: Tensor3D;
    cell: Tensor3D;
    cellActivations: Tensor3D;
    recurrentKernelTransposed: Tensor2D;
  },
  TimeStepAttributes
>): Tensor[] {
  const [numSteps, numRows, hiddenSize] = inputs.hiddenGradient.shape;
  const gateGradients = backend.allocate([numSteps, numRows, 4 * hiddenSize]);
  const initialHiddenGradient = backend.allocate([numRows, hiddenSize]);
  const initialCellGradient = backend.allocate([numRows, hiddenSize]);
  nativeAddon().lstmBackward(
    backend.floats(inputs.hiddenGradient),
    inputs.cellGradient && backend.floats(inputs.cellGradient),
    backend.floats(inputs.gates),
    backend.floats(inputs.cell),
    backend.floats(inputs.cellActivations),
    backend.floats(inputs.recurrentKernelTransposed),
    backend.floats(gateGradients),
    backend.floats(initialHiddenGradient),
    backend.floats(initialCellGradient),
    numSteps,
    numRows,
    hiddenSize,
    true,
    attrs.onTimeSteps,
  );
  return [gateGradients, initialHiddenGradient, initialCellGradient];
}
