import { describe, expect, it } from "vitest";

import { costsOf } from "./coordinator-costs.js";

const step = (
  numWorkers: number,
  uploads: number,
  [sendMs, receiveMs, arithmeticMs]: readonly [number, number, number],
) => ({ numWorkers, uploads, sendMs, receiveMs, arithmeticMs });

describe("costsOf", () => {
  it("finds what the parts cost", () => {
    // 5 + N · 3; 2 + uploads · 11; 20 + (uploads - 1) · 2.
    const costs = { stepMs: 7, sendMs: 3, receiveMs: 11, addMs: 2, updateMs: 20 };
    expect(costsOf(step(1, 1, [8, 13, 20]), step(3, 5, [14, 57, 28]))).toEqual(costs);
  });

  it("makes nothing negative where many cost more than few would say, or less", () => {
    // The first line would begin below 0: it goes through 0 and the many instead. The others fall.
    const costs = { stepMs: 40, sendMs: 10, receiveMs: 0, addMs: 0, updateMs: 20 };
    expect(costsOf(step(1, 1, [5, 40, 20]), step(3, 5, [30, 30, 10]))).toEqual(costs);
  });
});
