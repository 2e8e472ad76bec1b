import { integerPower } from "@ostinato/kernels";

import { LstmError } from "../lstm-error.js";
import type { LearningRateSchedule } from "./schedule-keys.js";
import { cosineShape, oneCycleShape, polynomialShape, restartsShape } from "./shapes.js";

export interface SchedulePoint {
  /** Steps done before this one: 0 for the first. */
  readonly step: number;
  /** Epochs done before this step; schedules that count in epochs need it. */
  readonly epoch?: number;
  /** The peak; a finite number from 0 on. */
  readonly learningRate: number;
}

/**
 * The learning rate of one step, in float64 and with the same bits on every engine: the peak times the
 * schedule's share at this step. A `plateau` has its peak here; what it comes down by is decided from
 * the evaluations (see `createDecisions`).
 *
 * With W warm-up steps, step s < W has (s + 1)/W of what the schedule begins with, so that no step is
 * lost at 0; the schedule's own count t = s − W begins at 0 after them. What stands for a place in the
 * run (`totalSteps`, `milestones`, epochs) is counted from the run's first step, warm-up included; what
 * stands for a length (`stepSize`, `firstPeriod`, the powers of gamma) from the end of the warm-up.
 *
 * @param schedule a checked one, see `compileSchedule`
 * @throws {LstmError} `invalidSchedule` where the point is none: names the field and what is allowed
 */
export function learningRateAt(schedule: LearningRateSchedule, at: SchedulePoint): number {
  const { step, learningRate } = at;
  require("step", step, isCount(step), "a whole number from 0 on");
  require("learningRate", learningRate, Number.isFinite(learningRate) &&
    learningRate >= 0, "a number from 0 on");
  const { warmupSteps } = schedule;
  const peak = step < warmupSteps ? (learningRate * (step + 1)) / warmupSteps : learningRate;
  return peak * shareAt(schedule, at);
}

/** The share of the peak; during the warm-up that with which the schedule begins. */
function shareAt(schedule: LearningRateSchedule, at: SchedulePoint): number {
  const { warmupSteps } = schedule;
  const t = Math.max(0, at.step - warmupSteps);
  switch (schedule.kind) {
    case "constant":
    case "plateau":
      return 1;
    case "step": {
      const { unit, stepSize, gamma } = schedule;
      return integerPower(gamma, Math.floor((unit === "epoch" ? epochOf(at) : t) / stepSize));
    }
    case "multiStep": {
      const { unit, milestones, gamma } = schedule;
      const place = unit === "epoch" ? epochOf(at) : at.step;
      return integerPower(gamma, milestones.filter((milestone) => milestone <= place).length);
    }
    case "exponential":
      return integerPower(schedule.gamma, schedule.unit === "epoch" ? epochOf(at) : t);
    case "polynomial":
      return polynomialShape(schedule, t, schedule.totalSteps - warmupSteps);
    case "cosine":
      return cosineShape(schedule.finalFraction, t, schedule.totalSteps - warmupSteps);
    case "cosineRestarts":
      return restartsShape(schedule, t);
    case "oneCycle":
      return oneCycleShape(schedule, t, schedule.totalSteps - warmupSteps);
    case "inverseSqrt":
      // Vaswani et al. 2017 count steps from 1.
      return at.step < warmupSteps ? 1 : Math.sqrt(warmupSteps / (at.step + 1));
    case "decayFromEpoch": {
      const { gamma, fullEpochs } = schedule;
      return integerPower(gamma, Math.max(0, epochOf(at) + 1 - fullEpochs));
    }
    default:
      return schedule satisfies never;
  }
}

function epochOf({ epoch = NaN }: SchedulePoint): number {
  require("epoch", epoch, isCount(epoch), "a whole number from 0 on");
  return epoch;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function require(field: string, value: number, holds: boolean, allowed: string): void {
  if (holds) return;
  throw new LstmError(
    "invalidSchedule",
    `${field} of the learning-rate schedule is ${value}; it must be ${allowed}`,
  );
}
