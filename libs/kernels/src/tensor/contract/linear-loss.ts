import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, runKernel } from "./kernel-call.js";
import { KERNEL_NAMES } from "./kernel-names.js";
import type { KernelName } from "./kernel-names.js";

export interface LinearSoftmaxCrossEntropyInputs {
  /** [N,H] */
  readonly hidden: Tensor2D;
  /** [H,V] */
  readonly kernel: Tensor2D;
  /** [V] */
  readonly bias: Tensor1D;
  /** [N] int32, each in [0, V). */
  readonly targets: Tensor1D;
  /** [N]: each position's weight in the loss, 0 for a masked one. */
  readonly weights: Tensor1D;
}

/**
 * Cross-entropy of softmax(hidden·kernel + bias) against `targets`, in nats, in blocks of rows so
 * that the logits of all positions are never held at once.
 *
 * @returns [N]: weight × loss of each position.
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function linearSoftmaxCrossEntropy(inputs: LinearSoftmaxCrossEntropyInputs): Tensor1D {
  const { hidden, kernel, bias, targets, weights } = inputs;
  const kernelName = KERNEL_NAMES.linearSoftmaxCrossEntropy;
  expectLossShapes(kernelName, inputs);
  const [losses] = runKernel(kernelName, { hidden, kernel, bias, targets, weights }) as [Tensor1D];
  return losses;
}

/** Attributes of the gradient kernel. */
export interface LabelSmoothing {
  /** ε */
  readonly labelSmoothing: number;
}

export interface LinearSoftmaxCrossEntropyGradients {
  /** [N]: weight × loss of each position. */
  readonly losses: Tensor1D;
  /** [N,H] */
  readonly hiddenGradient: Tensor2D;
  /** [H,V]: summed over the positions given. */
  readonly kernelGradient: Tensor2D;
  /** [V]: summed over the positions given. */
  readonly biasGradient: Tensor1D;
}

/**
 * The losses of {@link linearSoftmaxCrossEntropy} and the gradients of their sum, in one pass over
 * the blocks. Weight gradients are sums over positions: call it with the positions of one leaf.
 *
 * With label smoothing ε the target's probability is 1 − ε, and ε is spread evenly over all V classes
 * (Szegedy et al., 2016): the loss grows by ε·(logit of the target − mean of the logits).
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function linearSoftmaxCrossEntropyGradient(
  inputs: LinearSoftmaxCrossEntropyInputs & {
    /** [V,H]: transposed by the caller once per parameter version, not once per leaf. */
    readonly kernelTransposed: Tensor2D;
    /** ε, from 0 to below 1; 0 by default. */
    readonly labelSmoothing?: number;
  },
): LinearSoftmaxCrossEntropyGradients {
  const { hidden, kernel, kernelTransposed, bias, targets, weights, labelSmoothing = 0 } = inputs;
  const kernelName = KERNEL_NAMES.linearSoftmaxCrossEntropyGradient;
  expectLossShapes(kernelName, inputs);
  expectShape(kernelName, "kernelTransposed", kernelTransposed, [kernel.shape[1], kernel.shape[0]]);
  const [losses, hiddenGradient, kernelGradient, biasGradient] = runKernel(
    kernelName,
    { hidden, kernel, kernelTransposed, bias, targets, weights },
    { labelSmoothing },
  ) as [Tensor1D, Tensor2D, Tensor2D, Tensor1D];
  return { losses, hiddenGradient, kernelGradient, biasGradient };
}

function expectLossShapes(kernelName: KernelName, inputs: LinearSoftmaxCrossEntropyInputs): void {
  expectRank(kernelName, "kernel", inputs.kernel, 2);
  const [numPositions] = inputs.hidden.shape;
  const numClasses = inputs.kernel.shape[1];
  expectShape(kernelName, "hidden", inputs.hidden, [numPositions, inputs.kernel.shape[0]]);
  expectShape(kernelName, "bias", inputs.bias, [numClasses]);
  expectShape(kernelName, "targets", inputs.targets, [numPositions]);
  expectShape(kernelName, "weights", inputs.weights, [numPositions]);
}
