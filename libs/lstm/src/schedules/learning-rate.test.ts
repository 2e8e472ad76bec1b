import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { learningRateAt } from "./learning-rate.js";
import type { LearningRateSchedule } from "./learning-rate.js";

const cosine = (
  totalSteps: number,
  finalFraction: number,
  warmupSteps: number,
): LearningRateSchedule => ({ kind: "cosine", totalSteps, finalFraction, warmupSteps });

const rates = (schedule: LearningRateSchedule, count: number): number[] =>
  Array.from({ length: count }, (_, step) => learningRateAt(schedule, { step, learningRate: 8 }));

describe("learningRateAt", () => {
  it.each([NaN, Infinity, -1])("refuses a learning rate of %d", (learningRate) => {
    for (const schedule of [{ kind: "constant" }, cosine(8, 0, 2)] as const) {
      expect(() => learningRateAt(schedule, { step: 1, learningRate })).toThrow(
        new LstmError(
          "invalidSchedule",
          `learningRate of the learning-rate schedule is ${learningRate}; it must be a number from 0 on`,
        ),
      );
    }
  });

  it("is the same at every step of a constant schedule", () => {
    expect(rates({ kind: "constant" }, 3)).toEqual([8, 8, 8]);
  });

  it("goes up in a straight line, down along half a cosine, then stays", () => {
    // Warm-up 8·(s + 1)/4. Then 2 + 6·(1 + cos(π·k/4))/2 for k = 0 … 4; cos(π/4) = √½.
    const half = Math.SQRT1_2;
    const expected = [2, 4, 6, 8, 8, 5 + 3 * half, 5, 5 - 3 * half, 2, 2, 2];
    for (const [step, rate] of rates(cosine(8, 0.25, 4), 11).entries()) {
      expect(rate).toBeCloseTo(expected[step]!, 14);
    }
  });

  it("never leaves the range from its lowest to its peak, nor rises after the warm-up", () => {
    const sizes = fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 200 }));
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), ([warmup, rest], final) => {
        const all = rates(cosine(warmup + rest, final, warmup), warmup + rest + 3);
        expect(Math.max(...all)).toBeLessThanOrEqual(8 * (1 + 1e-15));
        expect(Math.min(...all)).toBeGreaterThanOrEqual(
          Math.min(8 * final, 8 / Math.max(1, warmup)) * (1 - 1e-15),
        );
        const afterPeak = all.slice(warmup);
        for (let i = 1; i < afterPeak.length; i++) {
          expect(afterPeak[i]).toBeLessThanOrEqual(afterPeak[i - 1]!);
        }
      }),
    );
  });

  it.each([
    [
      cosine(4, 0, 4),
      0,
      "totalSteps of the learning-rate schedule is 4; it must be a whole number above warmupSteps (4)",
    ],
    [
      cosine(4, 0, -1),
      0,
      "warmupSteps of the learning-rate schedule is -1; it must be a whole number from 0 on",
    ],
    [
      cosine(4, 1.5, 0),
      0,
      "finalFraction of the learning-rate schedule is 1.5; it must be a number from 0 to 1",
    ],
    [
      cosine(4, 0, 0),
      0.5,
      "step of the learning-rate schedule is 0.5; it must be a whole number from 0 on",
    ],
  ])("refuses %o at step %d", (schedule, step, message) => {
    expect(() => learningRateAt(schedule, { step, learningRate: 1 })).toThrow(
      new LstmError("invalidSchedule", message),
    );
  });
});
