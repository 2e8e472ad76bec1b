/**
 * Work that shows how fast a backend and its machine are, to be timed by whoever has a clock.
 *
 * @example
 * await selectBackend("native");
 * const work = matrixProductWork({ rows: 512, inner: 512, columns: 512 });
 * work.once();
 * work.dispose();
 */
import { dispose, keep, randomNormal } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import { matMulBias } from "../contract/index.js";

/** Something that is done again and again. */
export interface RepeatedWork {
  once(): void;
  dispose(): void;
}

/** [rows,inner] × [inner,columns] */
export interface MatrixProductSizes {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** A product of random matrices on the selected backend: 2 · rows · inner · columns operations. */
export function matrixProductWork({ rows, inner, columns }: MatrixProductSizes): RepeatedWork {
  const left: Tensor2D = keep(randomNormal([rows, inner]));
  const right: Tensor2D = keep(randomNormal([inner, columns]));
  return {
    once() {
      matMulBias(left, right).dispose();
    },
    dispose: () => dispose([left, right]),
  };
}

/** One array copied to another: `bytes` are read and as many written, whatever the backend. */
export function memoryCopyWork(bytes: number): RepeatedWork {
  const from = new Float32Array(bytes / Float32Array.BYTES_PER_ELEMENT).fill(1);
  const to = new Float32Array(from.length);
  return { once: () => to.set(from), dispose: () => undefined };
}
