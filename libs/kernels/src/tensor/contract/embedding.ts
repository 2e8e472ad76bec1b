import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, runKernel } from "./kernel-call.js";
import { KERNEL_NAMES } from "./kernel-names.js";

/**
 * Rows of `table` [V,E] by id.
 *
 * @param ids [N] int32, each in [0, V); an id outside reads memory that is not the table's.
 * @returns [N,E]
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function embeddingGather(table: Tensor2D, ids: Tensor1D): Tensor2D {
  const kernelName = KERNEL_NAMES.embeddingGather;
  expectRank(kernelName, "table", table, 2);
  expectRank(kernelName, "ids", ids, 1);
  const [rows] = runKernel(kernelName, { table, ids }) as [Tensor2D];
  return rows;
}

/**
 * Gradient of {@link embeddingGather} with respect to the table, dense: row v is the sum of the
 * gradient rows whose id is v, added in the order of positions.
 *
 * @param ids [N] int32, each in [0, vocabularySize).
 * @param gradient [N,E]
 * @returns [vocabularySize,E]
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function embeddingGradient(
  ids: Tensor1D,
  gradient: Tensor2D,
  vocabularySize: number,
): Tensor2D {
  const kernelName = KERNEL_NAMES.embeddingGradient;
  expectRank(kernelName, "gradient", gradient, 2);
  expectShape(kernelName, "ids", ids, [gradient.shape[0]]);
  const [table] = runKernel(kernelName, { ids, gradient }, { vocabularySize }) as [Tensor2D];
  return table;
}
