import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, presentTensors, runKernel } from "../kernel-call.js";
import { KERNEL_NAMES } from "../kernel-names.js";
import type { OnTimeSteps } from "./time-steps.js";

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
  /**
   * [T,B,H]: gradient of each c_t, from what reads the cell state itself, such as a decoder that
   * starts from an encoder's last one. None by default.
   */
  readonly cellGradient?: Tensor3D | undefined;
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

export interface LstmSequenceGradients {
  /**
   * [T,B,4H]: with respect to z, the gates before their activations. The gradients of inputs and
   * weights are products with it.
   */
  readonly gateGradients: Tensor3D;
  /** [B,H] */
  readonly initialHiddenGradient: Tensor2D;
  /** [B,H] */
  readonly initialCellGradient: Tensor2D;
}

/**
 * Backward through all time steps. The state after the last step gets no gradient but what
 * `hiddenGradient` and `cellGradient` say (truncated backpropagation through time).
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function lstmSequenceBackward(inputs: LstmSequenceBackwardInputs): LstmSequenceGradients {
  const { hiddenGradient, cellGradient, gates, cell, cellActivations } = inputs;
  const { recurrentKernelTransposed, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.lstmSequenceBackward;
  expectRank(kernelName, "hiddenGradient", hiddenGradient, 3);
  const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
  if (cellGradient) expectShape(kernelName, "cellGradient", cellGradient, hiddenGradient.shape);
  expectShape(kernelName, "gates", gates, [numSteps, numRows, 4 * hiddenSize]);
  expectShape(kernelName, "cell", cell, [numSteps + 1, numRows, hiddenSize]);
  expectShape(kernelName, "cellActivations", cellActivations, [numSteps, numRows, hiddenSize]);
  expectShape(kernelName, "recurrentKernelTransposed", recurrentKernelTransposed, [
    4 * hiddenSize,
    hiddenSize,
  ]);
  const [gateGradients, initialHiddenGradient, initialCellGradient] = runKernel(
    kernelName,
    presentTensors({
      hiddenGradient,
      cellGradient,
      gates,
      cell,
      cellActivations,
      recurrentKernelTransposed,
    }),
    { onTimeSteps },
  ) as [Tensor3D, Tensor2D, Tensor2D];
  return { gateGradients, initialHiddenGradient, initialCellGradient };
}
