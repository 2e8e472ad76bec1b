import { compileKeys } from "../keys/index.js";
import { LstmError } from "../lstm-error.js";
import { scheduleSchema } from "./schedule-keys.js";
import type { LearningRateSchedule } from "./schedule-keys.js";

/** What is wrong between the keys of a schedule, each of which is right on its own. */
export interface ScheduleProblem {
  readonly key: string;
  /** What the key's value is or lacks: what follows it in a message. */
  readonly complaint: string;
}

/**
 * Checks a schedule and fills in the defaults; a group without `kind` is `constant`.
 *
 * @param raw a plain object, such as a parsed JSON text
 * @throws {LstmError} `invalidSchedule` naming the key, its value and what is allowed
 */
export function compileSchedule(raw: unknown): LearningRateSchedule {
  const schedule = compileKeys(scheduleSchema, raw, { code: "invalidSchedule", group: "schedule" });
  const problem = scheduleProblem(schedule, "");
  if (problem === undefined) return schedule;
  const { key, complaint } = problem;
  const value = JSON.stringify(schedule[key as keyof typeof schedule]);
  throw new LstmError("invalidSchedule", `schedule.${key} is ${value}, which ${complaint}`);
}

/**
 * The first rule between its keys that a schedule breaks.
 *
 * @param prefix of keys that the complaint names, such as `optimizer.schedule.`
 */
export function scheduleProblem(
  schedule: LearningRateSchedule,
  prefix: string,
): ScheduleProblem | undefined {
  const { warmupSteps } = schedule;
  if ("totalSteps" in schedule && warmupSteps >= schedule.totalSteps) {
    const total = `${prefix}totalSteps (${schedule.totalSteps})`;
    return { key: "warmupSteps", complaint: `is not below ${total}` };
  }
  if (schedule.kind === "multiStep" && schedule.unit === "step") {
    const [first = Infinity] = schedule.milestones;
    if (warmupSteps >= first) {
      const milestone = `the first of ${prefix}milestones (${first})`;
      return { key: "warmupSteps", complaint: `is not below ${milestone}` };
    }
  }
  if (schedule.kind === "oneCycle") {
    const cycle = schedule.totalSteps - warmupSteps;
    if (schedule.warmupFraction * cycle <= 1) {
      const complaint = `leaves no step to go up in: of ${cycle} steps it must be more than one`;
      return { key: "warmupFraction", complaint };
    }
  }
  return undefined;
}
