import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { compileSchedule } from "./compile-schedule.js";
import { learningRateAt } from "./learning-rate.js";

/** Made by tools/make-schedule-fixtures.py. */
interface Fixture {
  readonly torch: string;
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  readonly schedules: readonly {
    readonly name: string;
    readonly schedule: unknown;
    /** Of each step. */
    readonly rates: readonly number[];
  }[];
}

const { torch, stepsPerEpoch, learningRate, schedules } = JSON.parse(
  readFileSync(new URL("../../fixtures/schedules.json", import.meta.url), "utf8"),
) as Fixture;

/** PyTorch multiplies from step to step, or divides by what it multiplied with: 40 roundings and more. */
const TOLERANCE = 1e-11;

describe(`the learning rates of PyTorch ${torch}`, () => {
  it.each(schedules)("$name", ({ schedule, rates }) => {
    const compiled = compileSchedule(schedule);
    expect(rates.length).toBeGreaterThan(30);
    for (const [step, expected] of rates.entries()) {
      const epoch = Math.floor(step / stepsPerEpoch);
      const rate = learningRateAt(compiled, { step, epoch, learningRate });
      // Where PyTorch goes down to 0 it may leave a rounding of the peak.
      if (!(Math.abs(rate - expected) <= TOLERANCE * expected + 1e-17)) {
        expect.fail(`step ${step}: ${rate}, not ${expected}`);
      }
    }
  });
});
