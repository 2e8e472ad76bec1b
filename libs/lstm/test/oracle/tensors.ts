import type { TensorLayout } from "../../src/index.js";

export type Vector = readonly number[];

/** [row][time][unit]: each row has its own number of steps, so that there is no padding. */
export type Sequence = readonly (readonly Vector[])[];

/** Float64 parameters by name. */
export class OracleTensors {
  /** All values; what is written here is seen by the next forward pass. */
  readonly flat: Float64Array;
  readonly #views: ReadonlyMap<string, Float64Array>;

  constructor(tensors: readonly TensorLayout[], values: ArrayLike<number>) {
    this.flat = Float64Array.from(values);
    this.#views = new Map(
      tensors.map(({ name, offset, size }) => [name, this.flat.subarray(offset, offset + size)]),
    );
  }

  /** Row-major. */
  of(name: string): Float64Array {
    const found = this.#views.get(name);
    if (found === undefined) throw new RangeError(`the oracle has no tensor ${name}`);
    return found;
  }
}

/** x·kernel[firstRow …], `width` columns wide. */
export function product(
  x: Vector,
  kernel: ArrayLike<number>,
  width: number,
  firstRow = 0,
): number[] {
  const sums = new Array<number>(width).fill(0);
  for (const [k, value] of x.entries()) {
    const start = (firstRow + k) * width;
    for (let j = 0; j < width; j++) sums[j] = sums[j]! + value * kernel[start + j]!;
  }
  return sums;
}

/** (x − mean) / √(variance + 1e-5), the variance biased: Ba et al. (2016), equation 4. */
export function standardized(x: Vector): number[] {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
}
