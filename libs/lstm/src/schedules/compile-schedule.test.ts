import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { compileSchedule } from "./compile-schedule.js";

const COUNT = "a whole number from 1 to 4294967295";

describe("compileSchedule", () => {
  it.each([
    [{}, { kind: "constant" }],
    [
      { kind: "step", stepSize: 3 },
      { gamma: 0.1, unit: "step" },
    ],
    [
      { kind: "multiStep", milestones: [3, 4] },
      { gamma: 0.1, unit: "step" },
    ],
    [{ kind: "exponential", gamma: 0.9 }, { unit: "step" }],
    [
      { kind: "polynomial", totalSteps: 3 },
      { power: 1, finalFraction: 0 },
    ],
    [{ kind: "cosine", totalSteps: 3 }, { finalFraction: 0 }],
    [
      { kind: "cosineRestarts", firstPeriod: 3 },
      { periodFactor: 1, finalFraction: 0 },
    ],
    [
      { kind: "oneCycle", totalSteps: 9 },
      { warmupFraction: 0.3, initialDivisor: 25, finalDivisor: 1e4, anneal: "cosine" },
    ],
    [{ kind: "decayFromEpoch", fullEpochs: 4 }, { gamma: 0.5 }],
    [
      { kind: "plateau" },
      {
        ...{ factor: 0.1, patience: 10, threshold: 1e-4, thresholdMode: "rel" },
        ...{ cooldown: 0, minFraction: 0 },
      },
    ],
  ])("fills in the defaults of %j", (raw, defaults) => {
    const compiled = compileSchedule(raw);
    expect(compiled).toEqual({ ...raw, ...defaults, warmupSteps: 0 });
    expect(compiled).toSatisfy(Object.isFrozen);
  });

  it.each([
    [
      { kind: "cosine", totalSteps: 4, warmupSteps: 4 },
      "schedule.warmupSteps is 4, which is not below totalSteps (4)",
    ],
    [
      { kind: "polynomial", totalSteps: 4, warmupSteps: 5 },
      "schedule.warmupSteps is 5, which is not below totalSteps (4)",
    ],
    [
      { kind: "oneCycle", totalSteps: 4, warmupSteps: 4 },
      "schedule.warmupSteps is 4, which is not below totalSteps (4)",
    ],
    [
      { kind: "oneCycle", totalSteps: 13, warmupSteps: 3, warmupFraction: 0.1 },
      "schedule.warmupFraction is 0.1, which leaves no step to go up in: " +
        "of 10 steps it must be more than one",
    ],
    [
      { kind: "multiStep", milestones: [3, 9], warmupSteps: 3 },
      "schedule.warmupSteps is 3, which is not below the first of milestones (3)",
    ],
    [
      { kind: "multiStep", milestones: [3, 3] },
      "schedule.milestones is [3,3]; it must be one or more ascending numbers, " + `each ${COUNT}`,
    ],
    [
      { kind: "multiStep", milestones: [] },
      `schedule.milestones is []; it must be one or more ascending numbers, each ${COUNT}`,
    ],
    [
      { kind: "cosine", totalSteps: 4, warmupSteps: -1 },
      "schedule.warmupSteps is -1; it must be a whole number from 0 to 4294967295",
    ],
    [
      { kind: "cosine", totalSteps: 4, finalFraction: 1.5 },
      "schedule.finalFraction is 1.5; it must be a number from 0 to 1",
    ],
    [{ kind: "inverseSqrt" }, `schedule.warmupSteps is missing; it must be ${COUNT}`],
    [
      { kind: "polynomial", totalSteps: 4, power: 0 },
      "schedule.power is 0; it must be a number above 0 and up to 64",
    ],
    [
      { kind: "exponential", gamma: 1.5 },
      "schedule.gamma is 1.5; it must be a number above 0 and up to 1",
    ],
    [
      { kind: "step", stepSize: 1, unit: "batch" },
      "schedule.unit is \"batch\"; it must be 'step' or 'epoch'",
    ],
    [
      { kind: "plateau", factor: 1 },
      "schedule.factor is 1; it must be a number above 0 and below 1",
    ],
    [
      { kind: "linear" },
      "schedule.kind is \"linear\"; it must be 'constant', 'step', 'multiStep', 'exponential', " +
        "'polynomial', 'cosine', 'cosineRestarts', 'oneCycle', 'inverseSqrt', 'decayFromEpoch' " +
        "or 'plateau'",
    ],
    [null, "schedule is null; it must be an object"],
  ])("refuses %j", (raw, message) => {
    expect(() => compileSchedule(raw)).toThrow(new LstmError("invalidSchedule", message));
  });

  it("lets milestones in epochs be, whatever the warm-up in steps", () => {
    const raw = { kind: "multiStep", milestones: [1], unit: "epoch", warmupSteps: 9 };
    expect(compileSchedule(raw)).toMatchObject(raw);
  });
});
