import { LstmError } from "../lstm-error.js";
import { halfTurnCosine } from "./half-turn-cosine.js";

export type LearningRateSchedule =
  | { readonly kind: "constant" }
  | {
      /** Up in a straight line, then down along half a cosine, then level. */
      readonly kind: "cosine";
      /** Steps until the learning rate has come down; above `warmupSteps`. */
      readonly totalSteps: number;
      /** What it comes down to, as a share of the peak. */
      readonly finalFraction: number;
      /** Steps on the way up; 0 to start at the peak. */
      readonly warmupSteps: number;
    };

export interface SchedulePoint {
  /** Steps done before this one: 0 for the first. */
  readonly step: number;
  /** The peak; a finite number from 0 on. */
  readonly learningRate: number;
}

/**
 * The learning rate of one step, in float64 and with the same bits on every engine.
 *
 * Cosine with W warm-up steps of T: step s < W has (s + 1)/W of the peak η, so that no step is lost
 * at 0; from W on it is η·(φ + (1 − φ)·(1 + cos(π·(s − W)/(T − W)))/2), which is PyTorch's
 * CosineAnnealingLR with T_max = T − W and eta_min = φ·η; from T on it is φ·η.
 *
 * @throws {LstmError} `invalidSchedule` naming the key, its value and what is allowed
 */
export function learningRateAt(schedule: LearningRateSchedule, at: SchedulePoint): number {
  const { step, learningRate } = at;
  require("step", step, isCount(step), "a whole number from 0 on");
  require("learningRate", learningRate, Number.isFinite(learningRate) &&
    learningRate >= 0, "a number from 0 on");
  switch (schedule.kind) {
    case "constant":
      return learningRate;
    case "cosine": {
      const { totalSteps, finalFraction, warmupSteps } = schedule;
      require("warmupSteps", warmupSteps, isCount(warmupSteps), "a whole number from 0 on");
      require("totalSteps", totalSteps, isCount(totalSteps) &&
        totalSteps > warmupSteps, `a whole number above warmupSteps (${warmupSteps})`);
      const isFraction = finalFraction >= 0 && finalFraction <= 1;
      require("finalFraction", finalFraction, isFraction, "a number from 0 to 1");
      if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
      if (step >= totalSteps) return learningRate * finalFraction;
      const progress = (step - warmupSteps) / (totalSteps - warmupSteps);
      const remaining = (1 + halfTurnCosine(progress)) / 2;
      return learningRate * (finalFraction + (1 - finalFraction) * remaining);
    }
    default:
      return schedule satisfies never;
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function require(key: string, value: number, holds: boolean, allowed: string): void {
  if (holds) return;
  throw new LstmError(
    "invalidSchedule",
    `${key} of the learning-rate schedule is ${value}; it must be ${allowed}`,
  );
}
