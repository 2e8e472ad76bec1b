import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { KernelError } from "../../kernel-error.js";
import { expectRank, expectShape, presentTensors, runKernel } from "../kernel-call.js";
import { KERNEL_NAMES } from "../kernel-names.js";
import type { OnTimeSteps } from "./time-steps.js";

export interface GruSequenceForwardInputs {
  /** [T,B,3H]: the input's share of the gates with the bias, x·Wx + b; columns r, z, n. */
  readonly inputGates: Tensor3D;
  /** [H,3H], columns r, z, n. */
  readonly recurrentKernel: Tensor2D;
  /**
   * [H]: added to h·U_n before the reset gate; with `resetAfter` alone, since
   * without it the input's bias does the same. None by default.
   */
  readonly candidateBias?: Tensor1D | undefined;
  /** Whether the reset gate multiplies the recurrent product (true) or the hidden state (false). */
  readonly resetAfter: boolean;
  /** [B,H] */
  readonly initialHidden: Tensor2D;
  /** [T,B,H], each in [0, 1]: the share k of h_{t−1} that zoneout keeps. None by default. */
  readonly keep?: Tensor3D | undefined;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/** What the forward pass returns; backward needs all of it. */
export interface GruSequence {
  /** [T+1,B,H]: the initial hidden state, then h_t of each step. */
  readonly hidden: Tensor3D;
  /** [T,B,3H]: the gates after their activations, columns r, z, n. */
  readonly gates: Tensor3D;
  /** [T,B,H]: h·U_n + candidateBias with `resetAfter`, else r∘h. */
  readonly candidates: Tensor3D;
}

/**
 * All time steps of a GRU layer: r, z = σ(inputGates + h·U); n as below; h' = (1−z)∘n + z∘h, with
 * zoneout (Krueger et al. 2017) mixed once more: k∘h + (1−k)∘h'.
 * - `resetAfter`, as PyTorch and cuDNN: n = tanh(x_n + r∘(h·U_n + candidateBias)).
 * - else, as Cho et al. 2014: n = tanh(x_n + (r∘h)·U_n).
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function gruSequenceForward(inputs: GruSequenceForwardInputs): GruSequence {
  const { inputGates, recurrentKernel, candidateBias, initialHidden, keep } = inputs;
  const { resetAfter, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.gruSequenceForward;
  expectRank(kernelName, "inputGates", inputGates, 3);
  const [numSteps, numRows] = inputGates.shape;
  const hiddenSize = recurrentKernel.shape[0];
  expectShape(kernelName, "recurrentKernel", recurrentKernel, [hiddenSize, 3 * hiddenSize]);
  expectShape(kernelName, "inputGates", inputGates, [numSteps, numRows, 3 * hiddenSize]);
  expectShape(kernelName, "initialHidden", initialHidden, [numRows, hiddenSize]);
  if (candidateBias) {
    if (!resetAfter) {
      const reason = `${kernelName}: candidateBias is given, expected none without resetAfter`;
      throw new KernelError("invalidShape", reason);
    }
    expectShape(kernelName, "candidateBias", candidateBias, [hiddenSize]);
  }
  if (keep) expectShape(kernelName, "keep", keep, [numSteps, numRows, hiddenSize]);
  const [hidden, gates, candidates] = runKernel(
    kernelName,
    presentTensors({ inputGates, recurrentKernel, candidateBias, initialHidden, keep }),
    { resetAfter, onTimeSteps },
  ) as [Tensor3D, Tensor3D, Tensor3D];
  return { hidden, gates, candidates };
}

export interface GruSequenceBackwardInputs {
  /** [T,B,H]: gradient of each h_t, from what reads the layer's output. */
  readonly hiddenGradient: Tensor3D;
  /** [T,B,3H], of the forward pass. */
  readonly gates: Tensor3D;
  /** [T,B,H], of the forward pass. */
  readonly candidates: Tensor3D;
  /** [T+1,B,H], of the forward pass. */
  readonly hidden: Tensor3D;
  /** [3H,H]: transposed by the caller once per parameter version, not once per call. */
  readonly recurrentKernelTransposed: Tensor2D;
  readonly resetAfter: boolean;
  /** [T,B,H], as the forward pass was given it. */
  readonly keep?: Tensor3D | undefined;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

export interface GruSequenceGradients {
  /** [T,B,3H]: with respect to `inputGates`; columns r, z, n. */
  readonly gateGradients: Tensor3D;
  /**
   * [T,B,3H]: with respect to the recurrent products; columns r, z, n. Over a leaf's positions:
   * - `resetAfter`: the recurrent kernel's gradient is h_{t−1}ᵀ·recurrentGradients, the candidate
   *   bias's the column sums of its n columns.
   * - else (equal to `gateGradients`): the recurrent kernel's gradient is h_{t−1}ᵀ·[r, z columns]
   *   beside candidatesᵀ·[n columns].
   */
  readonly recurrentGradients: Tensor3D;
  /** [B,H] */
  readonly initialHiddenGradient: Tensor2D;
}

/**
 * Backward through all time steps.
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function gruSequenceBackward(inputs: GruSequenceBackwardInputs): GruSequenceGradients {
  const { hiddenGradient, gates, candidates, hidden, recurrentKernelTransposed, keep } = inputs;
  const { resetAfter, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.gruSequenceBackward;
  expectRank(kernelName, "hiddenGradient", hiddenGradient, 3);
  const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
  expectShape(kernelName, "gates", gates, [numSteps, numRows, 3 * hiddenSize]);
  expectShape(kernelName, "candidates", candidates, hiddenGradient.shape);
  expectShape(kernelName, "hidden", hidden, [numSteps + 1, numRows, hiddenSize]);
  expectShape(kernelName, "recurrentKernelTransposed", recurrentKernelTransposed, [
    3 * hiddenSize,
    hiddenSize,
  ]);
  if (keep) expectShape(kernelName, "keep", keep, hiddenGradient.shape);
  const [gateGradients, recurrentGradients, initialHiddenGradient] = runKernel(
    kernelName,
    presentTensors({
      hiddenGradient,
      gates,
      candidates,
      hidden,
      recurrentKernelTransposed,
      keep,
    }),
    { resetAfter, onTimeSteps },
  ) as [Tensor3D, Tensor3D, Tensor2D];
  return { gateGradients, recurrentGradients, initialHiddenGradient };
}
