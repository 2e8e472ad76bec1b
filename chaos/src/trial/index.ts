/**
 * Schedules played and judged, each against the same run without faults.
 *
 * @example
 * const trial = createTrial({ folder });
 * const { problems } = await trial.run(drawSchedule(7, CATALOGUE));
 */
export { createTrial } from "./trial.js";
export type { Trial, TrialResult } from "./trial.js";
