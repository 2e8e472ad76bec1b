import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { RandomKey } from "../../random/index.js";
import { chrono, constant, orthogonal, truncatedNormal, uniform, zeros } from "./index.js";
import type { Shape } from "./index.js";
import { orthogonalized } from "./orthogonal.js";

const key: RandomKey = { seed: 4, step: 0, purpose: "tensorInitialization", layer: 9 };

/** The largest |entry| of VVᵀ − I, where V's rows are the columns of a tall matrix or the rows of a wide one. */
function distanceFromOrthonormal(
  matrix: ArrayLike<number>,
  [rows = 1, columns = 1]: Shape,
): number {
  const isTall = rows >= columns;
  const at = (vector: number, i: number): number =>
    (isTall ? matrix[i * columns + vector] : matrix[vector * columns + i]) ?? NaN;
  let largest = 0;
  for (let a = 0; a < Math.min(rows, columns); a++) {
    for (let b = 0; b <= a; b++) {
      let product = 0;
      for (let i = 0; i < Math.max(rows, columns); i++) product += at(a, i) * at(b, i);
      largest = Math.max(largest, Math.abs(product - (a === b ? 1 : 0)));
    }
  }
  return largest;
}

const sides = fc.integer({ min: 1, max: 24 });

describe("orthogonal", () => {
  it("has orthonormal columns or rows, times the gain, for any shape", () => {
    fc.assert(
      fc.property(sides, sides, fc.nat(1000), (rows, columns, layer) => {
        const shape = [rows, columns];
        const matrix = orthogonal(shape, { ...key, layer }, { gain: 3 });
        const unit = Float64Array.from(matrix, (value) => value / 3);
        expect(distanceFromOrthonormal(unit, shape)).toBeLessThan(1e-6);
      }),
    );
  });

  it("is so to the last digits in float64, also of vectors that are nearly alike", () => {
    const n = 60;
    const [alike, ordinary] = [1e-9, 1].map((scale) =>
      Float64Array.from(
        orthogonal([n, n], key, { gain: 1 }),
        (value, i) => scale * value + (i % 7),
      ),
    ) as [Float64Array, Float64Array];
    expect(distanceFromOrthonormal(orthogonalized(ordinary, [n, n]), [n, n])).toBeLessThan(1e-12);
    expect(distanceFromOrthonormal(orthogonalized(alike, [n, n]), [n, n])).toBeLessThan(1e-12);
  });

  it("is spread evenly: each entry has the mean 0 and the variance 1/n", () => {
    const [n, count] = [3, 3000];
    const sums = new Array<number>(n * n).fill(0);
    const squares = new Array<number>(n * n).fill(0);
    for (let layer = 0; layer < count; layer++) {
      for (const [i, value] of orthogonal([n, n], { ...key, layer }, { gain: 1 }).entries()) {
        sums[i]! += value / count;
        squares[i]! += value ** 2 / count;
      }
    }
    // Four standard deviations: √(1/n) of an entry, √(2(n − 1)/(n²(n + 2))) of its square.
    for (const sum of sums) expect(Math.abs(sum)).toBeLessThan(4 * Math.sqrt(1 / n / count));
    const bound = 4 * Math.sqrt((2 * (n - 1)) / (n * n * (n + 2)) / count);
    for (const square of squares) expect(Math.abs(square - 1 / n)).toBeLessThan(bound);
  });
});

describe("chrono", () => {
  const hiddenSize = 20_000;
  const maxTime = 100;
  const lstm = ["input", "forget", "candidate", "output"] as const;
  const bias = chrono({ gates: lstm, hiddenSize }, key, { maxTime });
  const forget = bias.subarray(hiddenSize, 2 * hiddenSize);

  it("keeps and lets in by opposite biases; the other gates have none", () => {
    expect(bias.subarray(0, hiddenSize)).toEqual(forget.map((value) => -value));
    expect(bias.subarray(2 * hiddenSize)).toEqual(new Float32Array(2 * hiddenSize));
  });

  it("makes exp(bias) of the forget gates evenly spread from 1 to maxTime − 1", () => {
    const sorted = forget.slice().sort();
    let largest = 0;
    for (const [i, value] of sorted.entries()) {
      const expected = (Math.exp(value) - 1) / (maxTime - 2);
      largest = Math.max(largest, Math.abs(expected - (i + 0.5) / hiddenSize));
    }
    // Kolmogorov's distribution: above 1.95 once in a thousand keys.
    expect(Math.sqrt(hiddenSize) * largest).toBeLessThan(1.95);
    expect(Math.min(...sorted)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...sorted)).toBeLessThanOrEqual(Math.log(maxTime - 1));
  });

  it("opens a GRU's update gate and closes the input gate of coupled gates", () => {
    const gru = chrono({ gates: ["reset", "update", "candidate"], hiddenSize: 4 }, key, {
      maxTime,
    });
    const values = forget.subarray(0, 4);
    expect([...gru]).toEqual([0, 0, 0, 0, ...values, 0, 0, 0, 0]);
    const coupled = chrono({ gates: ["input", "candidate", "output"], hiddenSize: 4 }, key, {
      maxTime,
    });
    expect(coupled.subarray(0, 4)).toEqual(values.map((value) => -value));
  });

  it("has biases of 0 where nothing is to be remembered", () => {
    expect(chrono({ gates: lstm, hiddenSize: 3 }, key, { maxTime: 2 }).map(Math.abs)).toEqual(
      new Float32Array(12),
    );
  });
});

describe("the other initializers", () => {
  it("keep to their ranges", () => {
    const within = (values: Float32Array, mean: number, range: number): void => {
      for (const value of values) expect(Math.abs(value - mean)).toBeLessThanOrEqual(range + 1e-6);
    };
    within(uniform([50, 40], key, { range: 0.05 }), 0, 0.05);
    within(truncatedNormal([50, 40], key, { mean: 1, std: 0.5, bound: 2 }), 1, 1);
  });

  it("have mean and standard deviation", () => {
    const values = truncatedNormal([400, 250], key, { mean: 1, std: 0.5, bound: 6 });
    const count = values.length;
    const mean = values.reduce((sum, x) => sum + x, 0) / count;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
    expect(Math.abs(mean - 1)).toBeLessThan((4 * 0.5) / Math.sqrt(count));
    expect(Math.abs(variance - 0.25)).toBeLessThan((4 * 0.25 * Math.SQRT2) / Math.sqrt(count));
  });

  it("fill with a constant, which may be 0", () => {
    expect([...constant([2, 2], { value: 1.5 })]).toEqual([1.5, 1.5, 1.5, 1.5]);
    expect(zeros([3])).toEqual(new Float32Array(3));
  });
});
