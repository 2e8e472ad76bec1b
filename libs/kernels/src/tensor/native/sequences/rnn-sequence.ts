/** The vanilla RNN. */
import type { Tensor } from "@tensorflow/tfjs-core";

import type {
  RnnAttributes,
  RnnBackwardTensors,
  RnnForwardTensors,
} from "../../reference/index.js";
import { nativeAddon } from "../addon.js";
import type { Call } from "../kernel-call.js";

export function rnnSequenceForward({
  inputs: { inputGates, recurrentKernel, initialHidden, keep },
  attrs: { activation, onTimeSteps },
  backend,
}: Call<RnnForwardTensors, RnnAttributes>): Tensor[] {
  const [numSteps, numRows, hiddenSize] = inputGates.shape;
  const hidden = backend.allocate([numSteps + 1, numRows, hiddenSize]);
  const activations = backend.allocate(inputGates.shape);
  backend.floats(hidden).set(backend.floats(initialHidden));
  nativeAddon().rnnForward({
    inputGates: backend.floats(inputGates),
    recurrentKernel: backend.floats(recurrentKernel),
    keep: backend.floatsIf(keep),
    isRelu: activation === "relu",
    numSteps,
    numRows,
    hiddenSize,
    hidden: backend.floats(hidden),
    activations: backend.floats(activations),
    onTimeSteps,
  });
  return [hidden, activations];
}

export function rnnSequenceBackward({
  inputs: { hiddenGradient, activations, recurrentKernelTransposed, keep },
  attrs: { activation, onTimeSteps },
  backend,
}: Call<RnnBackwardTensors, RnnAttributes>): Tensor[] {
  const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
  const gateGradients = backend.allocate(hiddenGradient.shape);
  const initialHiddenGradient = backend.allocate([numRows, hiddenSize]);
  nativeAddon().rnnBackward({
    hiddenGradient: backend.floats(hiddenGradient),
    activations: backend.floats(activations),
    recurrentKernel: backend.floats(recurrentKernelTransposed),
    transposed: true,
    keep: backend.floatsIf(keep),
    isRelu: activation === "relu",
    numSteps,
    numRows,
    hiddenSize,
    gateGradients: backend.floats(gateGradients),
    initialHiddenGradient: backend.floats(initialHiddenGradient),
    onTimeSteps,
  });
  return [gateGradients, initialHiddenGradient];
}
