import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, presentTensors, runKernel } from "./kernel-call.js";
import { KERNEL_NAMES } from "./kernel-names.js";

export interface LayerNormInputs {
  /** [N,C] */
  readonly rows: Tensor2D;
  /** [C]; ones by default. */
  readonly gain?: Tensor1D | undefined;
  /** [C]; zeros by default. */
  readonly bias?: Tensor1D | undefined;
  /** Added to the variance: positive. */
  readonly epsilon: number;
}

/** What {@link layerNorm} returns; backward needs the last two. */
export interface NormalizedRows {
  /** [N,C]: gain∘normalized + bias. */
  readonly outputs: Tensor2D;
  /** [N,C]: (row − mean) / √(variance + epsilon). */
  readonly normalized: Tensor2D;
  /** [N]: 1 / √(variance + epsilon). */
  readonly inverseDeviations: Tensor1D;
}

/**
 * Layer normalization (Ba et al. 2016) of each row by itself, with the biased variance, as PyTorch's
 * `layer_norm`.
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function layerNorm({ rows, gain, bias, epsilon }: LayerNormInputs): NormalizedRows {
  const kernelName = KERNEL_NAMES.layerNorm;
  expectRank(kernelName, "rows", rows, 2);
  const numColumns = rows.shape[1];
  if (gain) expectShape(kernelName, "gain", gain, [numColumns]);
  if (bias) expectShape(kernelName, "bias", bias, [numColumns]);
  const [outputs, normalized, inverseDeviations] = runKernel(
    kernelName,
    presentTensors({ rows, gain, bias }),
    { epsilon },
  ) as [Tensor2D, Tensor2D, Tensor1D];
  return { outputs, normalized, inverseDeviations };
}

export interface LayerNormGradientInputs {
  /** [N,C], with respect to the outputs. */
  readonly gradient: Tensor2D;
  /** [N,C], of the forward pass. */
  readonly normalized: Tensor2D;
  /** [N], of the forward pass. */
  readonly inverseDeviations: Tensor1D;
  /** [C], as the forward pass was given it. */
  readonly gain?: Tensor1D | undefined;
}

/**
 * Gradient of {@link layerNorm} with respect to its rows. Over a leaf's rows, the gain's gradient is
 * the column sums of gradient∘normalized, the bias's those of gradient.
 *
 * @returns [N,C]
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function layerNormGradient(inputs: LayerNormGradientInputs): Tensor2D {
  const { gradient, normalized, inverseDeviations, gain } = inputs;
  const kernelName = KERNEL_NAMES.layerNormGradient;
  expectRank(kernelName, "gradient", gradient, 2);
  const [numRows, numColumns] = gradient.shape;
  expectShape(kernelName, "normalized", normalized, gradient.shape);
  expectShape(kernelName, "inverseDeviations", inverseDeviations, [numRows]);
  if (gain) expectShape(kernelName, "gain", gain, [numColumns]);
  const [rowGradient] = runKernel(
    kernelName,
    presentTensors({ gradient, normalized, inverseDeviations, gain }),
  ) as [Tensor2D];
  return rowGradient;
}
