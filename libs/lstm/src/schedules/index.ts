/**
 * The learning rate over a run.
 *
 * @example
 * const schedule = compileSchedule({ kind: 'cosine', totalSteps: 1000, warmupSteps: 10 });
 * learningRateAt(schedule, { step: 4, learningRate: 2e-3 }); // 1e-3
 */
export { compileSchedule, scheduleProblem } from "./compile-schedule.js";
export type { ScheduleProblem } from "./compile-schedule.js";
export { learningRateAt } from "./learning-rate.js";
export type { SchedulePoint } from "./learning-rate.js";
export { scheduleSchema } from "./schedule-keys.js";
export type { LearningRateSchedule } from "./schedule-keys.js";
