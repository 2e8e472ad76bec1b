/** The GRU in both forms. */
import { clone } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

import type {
  GruAttributes,
  GruBackwardTensors,
  GruForwardTensors,
} from "../../reference/index.js";
import { nativeAddon } from "../addon.js";
import type { Call } from "../kernel-call.js";

export function gruSequenceForward({
  inputs,
  attrs: { resetAfter, onTimeSteps },
  backend,
}: Call<GruForwardTensors, GruAttributes>): Tensor[] {
  const { inputGates, recurrentKernel, candidateBias, initialHidden, keep } = inputs;
  const [numSteps, numRows] = inputGates.shape;
  const hiddenSize = recurrentKernel.shape[0];
  const hidden = backend.allocate([numSteps + 1, numRows, hiddenSize]);
  const gates = backend.allocate([numSteps, numRows, 3 * hiddenSize]);
  const candidates = backend.allocate([numSteps, numRows, hiddenSize]);
  backend.floats(hidden).set(backend.floats(initialHidden));
  nativeAddon().gruForward({
    inputGates: backend.floats(inputGates),
    recurrentKernel: backend.floats(recurrentKernel),
    candidateBias: backend.floatsIf(candidateBias),
    keep: backend.floatsIf(keep),
    resetAfter,
    numSteps,
    numRows,
    hiddenSize,
    hidden: backend.floats(hidden),
    gates: backend.floats(gates),
    candidates: backend.floats(candidates),
    onTimeSteps,
  });
  return [hidden, gates, candidates];
}

export function gruSequenceBackward({
  inputs,
  attrs: { resetAfter, onTimeSteps },
  backend,
}: Call<GruBackwardTensors, GruAttributes>): Tensor[] {
  const { hiddenGradient, gates, candidates, hidden, recurrentKernelTransposed, keep } = inputs;
  const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
  const gateGradients = backend.allocate(gates.shape);
  const recurrentGradients = resetAfter ? backend.allocate(gates.shape) : undefined;
  const initialHiddenGradient = backend.allocate([numRows, hiddenSize]);
  nativeAddon().gruBackward({
    hiddenGradient: backend.floats(hiddenGradient),
    gates: backend.floats(gates),
    candidates: backend.floats(candidates),
    hidden: backend.floats(hidden),
    recurrentKernel: backend.floats(recurrentKernelTransposed),
    transposed: true,
    keep: backend.floatsIf(keep),
    resetAfter,
    numSteps,
    numRows,
    hiddenSize,
    gateGradients: backend.floats(gateGradients),
    recurrentGradients: backend.floatsIf(recurrentGradients),
    initialHiddenGradient: backend.floats(initialHiddenGradient),
    onTimeSteps,
  });
  return [gateGradients, recurrentGradients ?? clone(gateGradients), initialHiddenGradient];
}
