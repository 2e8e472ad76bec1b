import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mergeMoments, mergeMomentsInTreeOrder } from "./moments.js";
import type { Moments } from "./moments.js";

const momentsOf = (count: number, mean: readonly number[], m2: readonly number[]): Moments => ({
  count,
  mean: Float64Array.from(mean),
  m2: Float64Array.from(m2),
});

const NONE = momentsOf(0, [0], [0]);

/** Of one column, in one run over all values: the mean first, then the distances from it. */
function inOneRun(values: readonly number[]): Moments {
  if (values.length === 0) return NONE;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const m2 = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return momentsOf(values.length, [mean], [m2]);
}

const leavesOfValues = fc.integer({ min: 0, max: 4 }).chain((levels) =>
  fc.array(fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { maxLength: 6 }), {
    minLength: 2 ** levels,
    maxLength: 2 ** levels,
  }),
);

describe("moments", () => {
  // 1, 2, 6: mean 3, squared distances 4 + 1 + 9. 5, 9: mean 7, 4 + 4. All five: numpy.mean gives 4.6, and
  // numpy.var times five 12.96 + 6.76 + 1.96 + 0.16 + 19.36 = 41.2.
  it("of two sets become those of all their values, column by column", () => {
    const merged = mergeMoments(
      momentsOf(3, [3, -30], [14, 1400]),
      momentsOf(2, [7, -70], [8, 800]),
    );
    expect(merged.count).toBe(5);
    expect(merged.mean[0]).toBeCloseTo(4.6, 14);
    expect(merged.m2[0]).toBeCloseTo(41.2, 13);
    // The same values times −10.
    expect(merged.mean[1]).toBeCloseTo(-46, 13);
    expect(merged.m2[1]).toBeCloseTo(4120, 11);
  });

  it("of no values change nothing, whichever side they are on", () => {
    const some = momentsOf(3, [0.1], [0.3]);
    expect(mergeMoments(NONE, some)).toEqual(some);
    expect(mergeMoments(some, NONE)).toEqual(some);
    expect(mergeMomentsInTreeOrder([NONE, some, NONE, NONE])).toEqual(some);
    expect(mergeMomentsInTreeOrder([NONE, NONE])).toEqual(NONE);
  });

  it("keep the variance of values far from zero", () => {
    // 10⁹ ± 1: a sum of squares less the square of the sum would have lost all digits of it.
    const merged = mergeMomentsInTreeOrder([
      inOneRun([1e9 - 1, 1e9 + 1]),
      inOneRun([1e9 - 1, 1e9 + 1, 1e9]),
    ]);
    expect(merged.mean[0]).toBeCloseTo(1e9, 6);
    expect(merged.m2[0]).toBeCloseTo(4, 6);
  });

  it("of leaves, merged along the tree, are those of one run over all values", () => {
    fc.assert(
      fc.property(leavesOfValues, (leaves) => {
        const merged = mergeMomentsInTreeOrder(leaves.map(inOneRun));
        const whole = inOneRun(leaves.flat());
        expect(merged.count).toBe(whole.count);
        expect(Math.abs(merged.mean[0]! - whole.mean[0]!)).toBeLessThan(1e-11);
        expect(Math.abs(merged.m2[0]! - whole.m2[0]!)).toBeLessThan(
          1e-12 * 1e4 * whole.count + 1e-12,
        );
      }),
    );
  });

  it("have the same bits, whoever merged which node of the tree", () => {
    fc.assert(
      fc.property(leavesOfValues, fc.integer({ min: 0, max: 4 }), (leaves, level) => {
        const moments = leaves.map(inOneRun);
        const size = Math.min(2 ** level, moments.length);
        const nodes = Array.from({ length: moments.length / size }, (_, node) =>
          mergeMomentsInTreeOrder(moments.slice(node * size, (node + 1) * size)),
        );
        // toEqual tells 0 from −0.
        expect(mergeMomentsInTreeOrder(nodes)).toEqual(mergeMomentsInTreeOrder(moments));
      }),
    );
  });

  it("have other bits in another order, so that the tree matters", () => {
    const leaves = Array.from({ length: 8 }, (_, k) => inOneRun([1 / (k + 3), k / 7, k * k]));
    const oneByOne = leaves.reduce(mergeMoments);
    expect(mergeMomentsInTreeOrder(leaves)).not.toEqual(oneByOne);
  });

  it.each([0, 3, 5, 6])("of %d leaves are no tree", (numLeaves) => {
    expect(() => mergeMomentsInTreeOrder(Array<Moments>(numLeaves).fill(NONE))).toThrow(
      expect.objectContaining({
        code: "invalidStatistics",
        message: `there are moments of ${numLeaves} leaves; there must be a power of two of them`,
      }),
    );
  });

  it("of different widths cannot be merged, also where one has no values", () => {
    const wide = momentsOf(0, [0, 0], [0, 0]);
    expect(() => mergeMoments(momentsOf(1, [1], [0]), wide)).toThrow(
      expect.objectContaining({
        code: "invalidStatistics",
        message: "moments of 1 and of 2 columns cannot be merged",
      }),
    );
  });
});
