import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { flattenMoments, momentsProblem, momentsSize, unflattenMoments } from "./flat-moments.js";
import type { StatisticsLayout } from "./running-statistics.js";

const LAYOUT: StatisticsLayout = {
  entries: [
    { name: "layers.0.norm", size: 2, offset: 0 },
    { name: "layers.1.norm", size: 1, offset: 4 },
  ],
  size: 6,
};
const FLAT = [3, 0.5, -1, 2, 0, 4, 7, 0.25];

describe("flat moments", () => {
  it("are count, means and sums of squares, one normalization after the other", () => {
    const moments = [
      { count: 3, mean: Float64Array.of(0.5, -1), m2: Float64Array.of(2, 0) },
      { count: 4, mean: Float64Array.of(7), m2: Float64Array.of(0.25) },
    ];
    expect(momentsSize(LAYOUT)).toBe(FLAT.length);
    expect([...flattenMoments(LAYOUT, moments)]).toEqual(FLAT);
    expect(unflattenMoments(LAYOUT, Float64Array.from(FLAT))).toEqual(moments);
    expect(momentsSize({ entries: [], size: 0 })).toBe(0);
  });

  it("keep every bit there and back", () => {
    const any = fc.float64Array({ minLength: FLAT.length, maxLength: FLAT.length, noNaN: true });
    fc.assert(
      fc.property(any, (flat) => {
        expect(flattenMoments(LAYOUT, unflattenMoments(LAYOUT, flat))).toEqual(flat);
      }),
    );
  });

  it.each([7, 9, 0])("of %d values are not this model's", (length) => {
    expect(() => unflattenMoments(LAYOUT, new Float64Array(length))).toThrow(
      expect.objectContaining({
        code: "invalidStatistics",
        message: `flat moments have ${length} values; the model has 8`,
      }),
    );
  });

  it.each([
    [5, -1, "the count of layers.1.norm is -1; it must be a whole number from 0"],
    [0, 2.5, "the count of layers.0.norm is 2.5; it must be a whole number from 0"],
    [0, 1e16, "the count of layers.0.norm is 10000000000000000; it must be a whole number from 0"],
    [4, -1e-9, "a sum of squares of layers.0.norm is -1e-9; it must not be negative"],
    [7, -Infinity, "a sum of squares of layers.1.norm is -Infinity; it must not be negative"],
  ])("with value %d at %d are no moments", (at, value, problem) => {
    expect(momentsProblem(LAYOUT, Float64Array.from(FLAT))).toBeUndefined();
    expect(momentsProblem(LAYOUT, Float64Array.from(FLAT).fill(value, at, at + 1))).toBe(problem);
  });

  it("that are not finite are not this function's to refuse: the run itself may have made them", () => {
    const flat = Float64Array.from(FLAT, () => NaN);
    expect(momentsProblem(LAYOUT, flat)).toBeUndefined();
    expect(momentsProblem(LAYOUT, flat.fill(Infinity))).toBeUndefined();
  });
});
