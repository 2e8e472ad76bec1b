/** What bounds everything else: a matrix product by the backend, and a copy from memory to memory. */
import { dispose, keep, randomNormal } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import { matMulBias } from "@ostinato/kernels/tensor";

import type { MatrixProduct, MemoryCopy } from "../cases/index.js";
import type { Work } from "./work.js";

export function matrixProduct({ rows, inner, columns }: MatrixProduct): Work {
  const left: Tensor2D = keep(randomNormal([rows, inner]));
  const right: Tensor2D = keep(randomNormal([inner, columns]));
  return {
    once() {
      matMulBias(left, right).dispose();
    },
    dispose: () => dispose([left, right]),
  };
}

export function memoryCopy({ bytes }: MemoryCopy): Work {
  const from = new Float32Array(bytes / Float32Array.BYTES_PER_ELEMENT).fill(1);
  const to = new Float32Array(from.length);
  return { once: () => to.set(from), dispose: () => undefined };
}
