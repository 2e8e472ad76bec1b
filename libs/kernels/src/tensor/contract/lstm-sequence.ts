import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, runKernel } from "./kernel-call.js";
import { KERNEL_NAMES } from "./kernel-names.js";

/** At most this many time steps pass between two calls of `onTimeSteps`. */
export const TIME_STEPS_PER_REPORT = 16;

/** Told how many time steps of this sequence are done; it may throw to stop the kernel. */
export type OnTimeSteps = (timeSteps: number) => void;

export interface LstmSequenceForwardInputs {
  /** [T,B,4H]: the input's share of the gates with the bias, x·Wx + b; columns i, f, g, o. */
  readonly inputGates: Tensor3D;
  /** [H,4H]: the rows of the LSTM's kernel that multiply the hidden state. */
  readonly recurrentKernel: Tensor2D;
  /** [B,H] */
  readonly initialHidden: Tensor2D;
  /** [B,H] */
  readonly initialCell: Tensor2D;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/** What the forward pass returns; backward needs all of it. */
export interface LstmSequence {
  /** [T+1,B,H]: the initial hidden state, then h_t of each step. */
  readonly hidden: Tensor3D;
  /** [T+1,B,H]: the initial cell state, then c_t of each step. */
  readonly cell: Tensor3D;
  /** [T,B,4H]: the gates after their activations, columns i, f, g, o. */
  readonly gates: Tensor3D;
  /** [T,B,H]: tanh(c_t). */
  readonly cellActivations: Tensor3D;
}

/**
 * All time steps of an LSTM layer: z = inputGates + h·Wh; i, f, o = σ(z), g = tanh(z);
 * c' = f∘c + i∘g; h' = o∘tanh(c').
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function lstmSequenceForward(inputs: LstmSequenceForwardInputs): LstmSequence {
  const { inputGates, recurrentKernel, initialHidden, initialCell, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.lstmSequenceForward;
  expectRank(kernelName, "inputGates", inputGates, 3);
  const hiddenSize = recurrentKernel.shape[0];
  const [numSteps, numRows] = inputGates.shape;
  expectShape(kernelName, "recurrentKernel", recurrentKernel, [hiddenSize, 4 * hiddenSize]);
  expectShape(kernelName, "inputGates", inputGates, [numSteps, numRows, 4 * hiddenSize]);
  expectShape(kernelName, "initialHidden", initialHidden, [numRows, hiddenSize]);
  expectShape(kernelName, "initialCell", initialCell, [numRows, hiddenSize]);
  const [hidden, cell, gates, cellActivations] = runKernel(
    kernelName,
    { inputGates, recurrentKernel, initialHidden, initialCell },
    { onTimeSteps },
  ) as [Tensor3D, Tensor3D, Tensor3D, Tensor3D];
  return { hidden, cell, gates, cellActivations };
}

export interface LstmSequenceBackwardInputs {
  /** [T,B,H]: the loss's gradient with respect to each h_t, from what reads the layer's output. */
  readonly hiddenGradient: Tensor3D;
  /** [T,B,4H], of the forward pass. */
  readonly gates: Tensor3D;
  /** [T+1,B,H], of the forward pass. */
  readonly cell: Tensor3D;
  /** [T,B,H], of the forward pass. */
  readonly cellActivations: Tensor3D;
  /** [4H,H]: transposed by the caller once per parameter version, not once per call. */
  readonly recurrentKernelTransposed: Tensor2D;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/**
 * Backward through all time steps. The state after the last step gets no gradient from later ones
 * (truncated backpropagation through time).
 *
 * @returns [T,B,4H]: the gradient with respect to z, the gates before their activations. The
 *   gradients of inputs and weights are products with it.
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function lstmSequenceBackward(inputs: LstmSequenceBackwardInputs): Tensor3D {
  const { hiddenGradient, gates, cell, cellActivations, recurrentKernelTransposed } = inputs;
  const kernelName = KERNEL_NAMES.lstmSequenceBackward;
  expectRank(kernelName, "hiddenGradient", hiddenGradient, 3);
  const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
  expectShape(kernelName, "gates", gates, [numSteps, numRows, 4 * hiddenSize]);
  expectShape(kernelName, "cell", cell, [numSteps + 1, numRows, hiddenSize]);
  expectShape(kernelName, "cellActivations", cellActivations, [numSteps, numRows, hiddenSize]);
  expectShape(kernelName, "recurrentKernelTransposed", recurrentKernelTransposed, [
    4 * hiddenSize,
    hiddenSize,
  ]);
  const [gateGradients] = runKernel(
    kernelName,
    { hiddenGradient, gates, cell, cellActivations, recurrentKernelTransposed },
    { onTimeSteps: inputs.onTimeSteps },
  ) as [Tensor3D];
  return gateGradients;
}
