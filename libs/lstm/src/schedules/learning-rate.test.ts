import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { compileSchedule } from "./compile-schedule.js";
import { learningRateAt } from "./learning-rate.js";
import type { LearningRateSchedule } from "./schedule-keys.js";

const cosine = (
  totalSteps: number,
  finalFraction: number,
  warmupSteps: number,
): LearningRateSchedule => ({ kind: "cosine", totalSteps, finalFraction, warmupSteps });

const rates = (schedule: LearningRateSchedule, count: number): number[] =>
  Array.from({ length: count }, (_, step) => learningRateAt(schedule, { step, learningRate: 8 }));

describe("learningRateAt", () => {
  it.each([NaN, Infinity, -1])("refuses a learning rate of %d", (learningRate) => {
    for (const schedule of [compileSchedule({}), cosine(8, 0, 2)]) {
      expect(() => learningRateAt(schedule, { step: 1, learningRate })).toThrow(
        new LstmError(
          "invalidSchedule",
          `learningRate of the learning-rate schedule is ${learningRate}; it must be a number from 0 on`,
        ),
      );
    }
  });

  it("is the same at every step of a constant schedule", () => {
    expect(rates(compileSchedule({}), 3)).toEqual([8, 8, 8]);
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

  it.each([0.5, -1, NaN])("refuses a step of %d", (step) => {
    expect(() => learningRateAt(cosine(4, 0, 0), { step, learningRate: 1 })).toThrow(
      `step of the learning-rate schedule is ${step}; it must be a whole number from 0 on`,
    );
  });

  it.each([
    { kind: "step", stepSize: 2, unit: "epoch" },
    { kind: "multiStep", milestones: [2], unit: "epoch" },
    { kind: "exponential", gamma: 0.5, unit: "epoch" },
    { kind: "decayFromEpoch", fullEpochs: 3 },
  ])("needs the epoch for %j", (raw) => {
    const schedule = compileSchedule(raw);
    expect(() => learningRateAt(schedule, { step: 0, learningRate: 1 })).toThrow(
      "epoch of the learning-rate schedule is NaN; it must be a whole number from 0 on",
    );
    expect(learningRateAt(schedule, { step: 0, epoch: 0, learningRate: 1 })).toBe(1);
  });

  it("warms up to what an epoch's decay has left of the peak", () => {
    const schedule = compileSchedule({ kind: "decayFromEpoch", fullEpochs: 1, warmupSteps: 4 });
    // Epochs of 2 steps, from the second on half as much each: 8·(s + 1)/4·½^epoch.
    const at = (step: number): number =>
      learningRateAt(schedule, { step, epoch: Math.floor(step / 2), learningRate: 8 });
    expect([0, 1, 2, 3, 4].map(at)).toEqual([2, 4, 3, 4, 2]);
  });

  it("warms up to where a cycle begins", () => {
    const cycle = { kind: "oneCycle", totalSteps: 22, warmupSteps: 2, initialDivisor: 4 };
    const schedule = compileSchedule(cycle);
    // The cycle's 20 steps begin at 8/4; its peak lies at step 0.3·20 − 1 of them.
    expect([0, 1, 2, 7].map((step) => learningRateAt(schedule, { step, learningRate: 8 }))).toEqual(
      [1, 2, 2, 8],
    );
  });

  it("is what Vaswani et al. 2017 has at the end of the warm-up and four times later", () => {
    const schedule = compileSchedule({ kind: "inverseSqrt", warmupSteps: 100 });
    const at = (step: number): number => learningRateAt(schedule, { step, learningRate: 8 });
    // Its step_num is step + 1: 8·√(100/100), 8·√(100/400), and half of it half way up.
    expect([49, 99, 399].map(at)).toEqual([4, 8, 4]);
  });

  it("is, whatever the kind, above 0 while warming up and never above the peak", () => {
    const kinds: readonly object[] = [
      ...[{ kind: "constant" }, { kind: "step", stepSize: 3 }, { kind: "plateau" }],
      ...[
        { kind: "multiStep", milestones: [30] },
        { kind: "exponential", gamma: 0.9 },
      ],
      ...[
        { kind: "polynomial", totalSteps: 40, power: 0.3 },
        { kind: "cosine", totalSteps: 40 },
      ],
      ...[{ kind: "cosineRestarts", firstPeriod: 3, periodFactor: 2 }, { kind: "inverseSqrt" }],
      ...[
        { kind: "oneCycle", totalSteps: 40 },
        { kind: "decayFromEpoch", fullEpochs: 1 },
      ],
    ];
    const point = fc.record({ step: fc.nat(5000), epoch: fc.nat(50) });
    const warmup = fc.integer({ min: 1, max: 29 });
    fc.assert(
      fc.property(fc.constantFrom(...kinds), warmup, point, (kind, warmupSteps, at) => {
        const schedule = compileSchedule({ ...kind, warmupSteps });
        const rate = learningRateAt(schedule, { ...at, learningRate: 8 });
        expect(rate).toBeLessThanOrEqual(8 * (1 + 1e-15));
        expect(rate).toBeGreaterThanOrEqual(0);
        if (at.step < warmupSteps) expect(rate).toBeGreaterThan(0);
      }),
    );
  });
});
