import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeaseShares } from "./index.js";

const total = (shares: readonly number[]): number => shares.reduce((sum, share) => sum + share, 0);
const endOf = (shares: readonly number[], rates: readonly number[]): number =>
  Math.max(...shares.map((share, i) => share / (rates[i] ?? NaN)));

describe("LeaseShares", () => {
  it("divides evenly as long as nothing is known", () => {
    const shares = new LeaseShares();
    expect(shares.divide("train", 8, ["a", "b", "c"], undefined)).toEqual([2, 3, 3]);
    expect(shares.divide("train", 2, ["a", "b", "c"], undefined)).toEqual([1, 1, 0]);
    expect(shares.divide("train", 8, [], undefined)).toEqual([]);
  });

  it("divides in proportion to speed", () => {
    expect(new LeaseShares().divide("train", 8, ["a", "b"], [3, 1])).toEqual([6, 2]);
    expect(new LeaseShares().divide("train", 8, ["a", "b", "c"], [1, 1, 2])).toEqual([2, 2, 4]);
  });

  it("gives nothing to one who would hold up the step", () => {
    // One leaf takes it 20; the others are through with four each after 4.
    expect(new LeaseShares().divide("train", 8, ["a", "slow", "b"], [1, 0.05, 1])).toEqual([
      4, 0, 4,
    ]);
  });

  it("keeps a division while another one is not clearly better: states would have to travel", () => {
    const shares = new LeaseShares();
    const workers = ["a", "b"];
    expect(shares.divide("train", 16, workers, [1, 1])).toEqual([8, 8]);
    // 9 and 7 leaves would end the step at 9/1.2 = 7.5 in place of 8.
    expect(shares.divide("train", 16, workers, [1.2, 1])).toEqual([8, 8]);
    // Twice as fast: 10.67 and 5.33 at best.
    expect(shares.divide("train", 16, workers, [2, 1])).toEqual([11, 5]);
    // Rates that go back and forth move nothing.
    for (const noise of [1.7, 2.2, 1.8, 2.3]) {
      expect(shares.divide("train", 16, workers, [noise, 1])).toEqual([11, 5]);
    }
    // Others are there: anew.
    expect(shares.divide("train", 16, ["a", "c"], [1, 1])).toEqual([8, 8]);
  });

  it("remembers nothing of a part of a round", () => {
    const shares = new LeaseShares();
    expect(shares.divide("train", 8, ["a", "b"], [3, 1])).toEqual([6, 2]);
    expect(shares.divide(undefined, 8, ["a", "b"], [1, 1])).toEqual([4, 4]);
    expect(shares.divide("train", 8, ["a", "b"], [2.8, 1])).toEqual([6, 2]);
  });

  it("gives out every group once, and never ends 1.25 times later than the best division", () => {
    const rate = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(rate, { minLength: 1, maxLength: 4 }), fc.nat(9), (rates, numGroups) => {
        const workers = rates.map((_, i) => `worker-${i}`);
        const shares = new LeaseShares().divide("train", numGroups, workers, rates);
        expect(total(shares)).toBe(numGroups);
        // By trying every division.
        const divisions = (left: number, numWorkers: number): number[][] =>
          numWorkers === 1
            ? [[left]]
            : Array.from({ length: left + 1 }, (_, n) => n).flatMap((n) =>
                divisions(left - n, numWorkers - 1).map((rest) => [n, ...rest]),
              );
        const best = Math.min(...divisions(numGroups, rates.length).map((d) => endOf(d, rates)));
        expect(endOf(shares, rates)).toBeLessThanOrEqual(best * 1.25 * (1 + 1e-9));
      }),
      { numRuns: 200 },
    );
  });
});
