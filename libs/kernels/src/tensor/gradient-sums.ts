import { matMul, ones, reshape, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

/** rowsᵀ·gradient and the column sums of gradient, both added up in the order of positions. */
export function gradientSums(rows: Tensor2D, gradient: Tensor2D): [Tensor2D, Tensor1D] {
  return tidy(() => {
    // An explicit transpose: wasm products with the transpose flags are 8 to 30 times slower.
    const kernelGradient: Tensor2D = matMul(transpose(rows), gradient);
    // As a product with ones, since tf.sum over the first axis transposes the whole gradient.
    const columnSums: Tensor2D = matMul(ones([1, rows.shape[0]]), gradient);
    return [kernelGradient, reshape(columnSums, [gradient.shape[1]])];
  });
}
