import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { TokenBucket } from "./index.js";

describe("a rate", () => {
  it("is a burst at once, and then so many a second", () => {
    const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, 0);
    const taken = (nowMs: number): boolean => bucket.take(nowMs);
    expect([taken(0), taken(0), taken(0), taken(0)]).toEqual([true, true, true, false]);
    expect([taken(499), taken(500), taken(500)]).toEqual([false, true, false]);
    // However long nothing was taken: a burst, and no more.
    expect([taken(1e6), taken(1e6), taken(1e6), taken(1e6)]).toEqual([true, true, true, false]);
  });

  it("is never exceeded, whenever somebody takes, and a clock that goes back gives nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -500, max: 500 }), { maxLength: 300 }), (steps) => {
        const bucket = new TokenBucket({ burst: 5, perSecond: 10 }, 0);
        let [nowMs, forwardMs, numTaken] = [0, 0, 0];
        for (const step of steps) {
          nowMs += step;
          forwardMs += Math.max(0, step);
          if (bucket.take(nowMs)) numTaken += 1;
          expect(numTaken).toBeLessThanOrEqual(5 + (forwardMs / 1000) * 10 + 1e-9);
        }
      }),
    );
  });
});
