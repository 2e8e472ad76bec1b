import type { NamedTensorMap, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, runKernel } from "./kernel-call.js";
import { KERNEL_NAMES } from "./kernel-names.js";

/**
 * rows [N,I] × kernel [I,O] + bias [O], or without a bias.
 *
 * @returns [N,O]
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function matMulBias(rows: Tensor2D, kernel: Tensor2D, bias?: Tensor1D): Tensor2D {
  const kernelName = KERNEL_NAMES.matMulBias;
  expectRank(kernelName, "kernel", kernel, 2);
  expectShape(kernelName, "rows", rows, [rows.shape[0], kernel.shape[0]]);
  if (bias !== undefined) expectShape(kernelName, "bias", bias, [kernel.shape[1]]);
  const inputs: NamedTensorMap = bias === undefined ? { rows, kernel } : { rows, kernel, bias };
  const [product] = runKernel(kernelName, inputs) as [Tensor2D];
  return product;
}

/**
 * Weight gradients of {@link matMulBias}, summed over the positions given: call it with the
 * positions of one leaf.
 *
 * @param rows [N,I], the layer's inputs.
 * @param gradient [N,O], with respect to the layer's outputs.
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function linearGradient(
  rows: Tensor2D,
  gradient: Tensor2D,
): { readonly kernelGradient: Tensor2D; readonly biasGradient: Tensor1D } {
  const kernelName = KERNEL_NAMES.linearGradient;
  expectRank(kernelName, "rows", rows, 2);
  expectShape(kernelName, "gradient", gradient, [rows.shape[0], gradient.shape[1]]);
  const [kernelGradient, biasGradient] = runKernel(kernelName, { rows, gradient }) as [
    Tensor2D,
    Tensor1D,
  ];
  return { kernelGradient, biasGradient };
}
