import { reshape, tensor1d } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

/** Tensors of the same values each time, one after the other; tracked by the caller's tidy scope. */
export interface FixedValues {
  /** In [−1, 1). */
  readonly next: () => number;
  readonly vector: (size: number) => Tensor1D;
  readonly matrix: (rows: number, columns: number) => Tensor2D;
  readonly sequence: (steps: number, rows: number, columns: number) => Tensor3D;
  /** int32, each in [0, count). */
  readonly ids: (size: number, count: number) => Tensor1D;
}

export function fixedValues(): FixedValues {
  const next = linearCongruential();
  const vector = (size: number): Tensor1D => tensor1d(Float32Array.from({ length: size }, next));
  return {
    next,
    vector,
    matrix: (rows, columns) => reshape(vector(rows * columns), [rows, columns]),
    sequence: (steps, rows, columns) =>
      reshape(vector(steps * rows * columns), [steps, rows, columns]),
    ids: (size, count) =>
      tensor1d(
        Int32Array.from({ length: size }, () => Math.floor((next() + 1) * 0.5 * count)),
        "int32",
      ),
  };
}

/** Values in [-1, 1) of a 32-bit generator (Numerical Recipes), exact in float32. */
function linearCongruential(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
}
