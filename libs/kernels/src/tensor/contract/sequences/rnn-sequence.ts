import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, presentTensors, runKernel } from "../kernel-call.js";
import { KERNEL_NAMES } from "../kernel-names.js";
import type { OnTimeSteps } from "./time-steps.js";

/** What a vanilla RNN's pre-activations go through. */
export type RnnActivation = "tanh" | "relu";

export interface RnnSequenceForwardInputs {
  /** [T,B,H]: the input's share with the bias, x·Wx + b. */
  readonly inputGates: Tensor3D;
  /** [H,H] */
  readonly recurrentKernel: Tensor2D;
  readonly activation: RnnActivation;
  /** [B,H] */
  readonly initialHidden: Tensor2D;
  /** [T,B,H], each in [0, 1]: the share k of h_{t−1} that zoneout keeps. None by default. */
  readonly keep?: Tensor3D | undefined;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/** What the forward pass returns. */
export interface RnnSequence {
  /** [T+1,B,H]: the initial hidden state, then h_t of each step. */
  readonly hidden: Tensor3D;
  /** [T,B,H]: the new values of each step, before `keep` mixes them with the old. */
  readonly activations: Tensor3D;
}

/**
 * All time steps of a vanilla RNN layer (Elman 1990): a = act(inputGates + h·U); h' = a, or with
 * zoneout (Krueger et al. 2017) h' = k∘h + (1−k)∘a.
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function rnnSequenceForward(inputs: RnnSequenceForwardInputs): RnnSequence {
  const { inputGates, recurrentKernel, activation, initialHidden, keep, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.rnnSequenceForward;
  expectRank(kernelName, "inputGates", inputGates, 3);
  const [numSteps, numRows] = inputGates.shape;
  const hiddenSize = recurrentKernel.shape[0];
  const sequenceShape = [numSteps, numRows, hiddenSize];
  expectShape(kernelName, "recurrentKernel", recurrentKernel, [hiddenSize, hiddenSize]);
  expectShape(kernelName, "inputGates", inputGates, sequenceShape);
  expectShape(kernelName, "initialHidden", initialHidden, [numRows, hiddenSize]);
  if (keep) expectShape(kernelName, "keep", keep, sequenceShape);
  const [hidden, activations] = runKernel(
    kernelName,
    presentTensors({ inputGates, recurrentKernel, initialHidden, keep }),
    { activation, onTimeSteps },
  ) as [Tensor3D, Tensor3D];
  return { hidden, activations };
}

export interface RnnSequenceBackwardInputs {
  /** [T,B,H]: gradient of each h_t, from what reads the layer's output. */
  readonly hiddenGradient: Tensor3D;
  /** [T,B,H], of the forward pass. */
  readonly activations: Tensor3D;
  /** [H,H]: transposed by the caller once per parameter version, not once per call. */
  readonly recurrentKernelTransposed: Tensor2D;
  readonly activation: RnnActivation;
  /** [T,B,H], as the forward pass was given it. */
  readonly keep?: Tensor3D | undefined;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

export interface RnnSequenceGradients {
  /**
   * [T,B,H]: with respect to `inputGates`. A leaf's gradient of the recurrent kernel is
   * h_{t−1}ᵀ·gateGradients over the leaf's positions.
   */
  readonly gateGradients: Tensor3D;
  /** [B,H] */
  readonly initialHiddenGradient: Tensor2D;
}

/**
 * Backward through all time steps. relu'(0) is 0, as PyTorch has it.
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function rnnSequenceBackward(inputs: RnnSequenceBackwardInputs): RnnSequenceGradients {
  const { hiddenGradient, activations, recurrentKernelTransposed, keep } = inputs;
  const { activation, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.rnnSequenceBackward;
  expectRank(kernelName, "hiddenGradient", hiddenGradient, 3);
  const hiddenSize = hiddenGradient.shape[2];
  expectShape(kernelName, "activations", activations, hiddenGradient.shape);
  expectShape(kernelName, "recurrentKernelTransposed", recurrentKernelTransposed, [
    hiddenSize,
    hiddenSize,
  ]);
  if (keep) expectShape(kernelName, "keep", keep, hiddenGradient.shape);
  const [gateGradients, initialHiddenGradient] = runKernel(
    kernelName,
    presentTensors({ hiddenGradient, activations, recurrentKernelTransposed, keep }),
    { activation, onTimeSteps },
  ) as [Tensor3D, Tensor2D];
  return { gateGradients, initialHiddenGradient };
}
