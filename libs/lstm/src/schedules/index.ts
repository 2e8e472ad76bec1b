/**
 * The learning rate over a run.
 *
 * @example
 * learningRateAt({ kind: 'cosine', totalSteps: 1000, finalFraction: 0, warmupSteps: 10 },
 *   { step: 4, learningRate: 2e-3 }); // 1e-3
 */
export { learningRateAt } from "./learning-rate.js";
export type { LearningRateSchedule, SchedulePoint } from "./learning-rate.js";
