import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { columnSumsOfSquares, sumOfSquares } from "./norm.js";

/** Exact up to 2^53: a sum of squares of whole numbers. */
const exactSum = (values: Iterable<number>): number =>
  Number([...values].reduce((sum, value) => sum + BigInt(value) ** 2n, 0n));

describe("sumOfSquares", () => {
  it("is exact for whole numbers, at every length around its blocks and lanes", () => {
    for (const length of [0, 1, 2, 3, 4, 5, 7, 4095, 4096, 4097, 4099, 8192, 12_290]) {
      const values = Float32Array.from({ length }, (_, i) => (i * 7919) % 10_007);
      expect(sumOfSquares(values)).toBe(exactSum(values));
    }
  });

  it("is a plain float64 sum but for rounding", () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(
        fc.float32Array({ noNaN: true, noDefaultInfinity: true }),
        value,
        (some, more) => {
          const values = Float32Array.from([...some, ...Array<number>(5000).fill(more)]);
          const plain = values.reduce((sum, x) => sum + x * x, 0);
          expect(Math.abs(sumOfSquares(values) - plain)).toBeLessThanOrEqual(1e-12 * plain);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("adds in the order of its definition: four lanes a block, blocks one after the other", () => {
    // From a² = 2^52 to 2^53 every float64 is a whole number, and halves go to the even one.
    const a = 2 ** 26;
    // Lane 0: a² + 0.25, which is lost; lanes 1 to 3: 0.25 each. (a² + 0.25) + 0.5 stays a².
    const tail = Float32Array.of(a, 0.5, 0.5, 0.5, 0.5);
    expect(sumOfSquares(tail)).toBe(a ** 2);
    // Lane 1: 0.25 + 0.25, lane 2: 0.25 + 1, lane 3: 0.25 + 0.25. (a² + 0.5) + 1.75 is a² + 1.75,
    // hence a² + 2; from left to right it would be a² + 1.
    const lanes = Float32Array.of(a, 0.5, 0.5, 0.5, 0, 0.5, 1, 0.5);
    expect(sumOfSquares(lanes)).toBe(a ** 2 + 2);
    // The next block is summed on its own before it is added: 4 × 0.25 = 1 is kept whole.
    const twoBlocks = new Float32Array(4100);
    twoBlocks[0] = a;
    twoBlocks.fill(0.5, 4096);
    expect(sumOfSquares(twoBlocks)).toBe(a ** 2 + 1);
  });

  it("takes the squares of the largest and the smallest values without overflow or loss", () => {
    const largest = (2 - 2 ** -23) * 2 ** 127;
    expect(sumOfSquares(Float32Array.of(largest))).toBe(largest ** 2);
    expect(sumOfSquares(Float32Array.of(2 ** -149))).toBe(2 ** -298);
  });

  it.each([NaN, Infinity, -Infinity])("is not finite when one value is %d", (bad) => {
    for (const at of [0, 4095, 4096, 5000]) {
      const values = new Float32Array(5001);
      values[at] = bad;
      expect(sumOfSquares(values)).not.toSatisfy(Number.isFinite);
    }
  });
});

describe("columnSumsOfSquares", () => {
  it("is sumOfSquares of each column, to the bit", () => {
    const value = fc.float({ noNaN: true, min: -1e6, max: 1e6 });
    const shape = fc.tuple(fc.constantFrom(1, 2, 3, 7, 4097, 9000), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(
        shape,
        fc.array(value, { minLength: 11, maxLength: 11 }),
        ([rows, cols], some) => {
          const values = Float32Array.from(
            { length: rows * cols },
            (_, i) => some[i % 11]! / (1 + i),
          );
          const columns = Array.from({ length: cols }, (_, c) =>
            values.filter((_, i) => i % cols === c),
          );
          expect([...columnSumsOfSquares(values, cols)]).toEqual(columns.map(sumOfSquares));
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each([0, 4])("refuses what has no rows of %d columns", (numColumns) => {
    expect(() => columnSumsOfSquares(new Float32Array(6), numColumns)).toThrow(
      new RangeError(`6 values are no rows of ${numColumns} columns`),
    );
  });
});
