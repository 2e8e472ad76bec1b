/**
 * Plays a schedule on a real cluster, and writes down what happened.
 *
 * @example
 * const played = await playSchedule(schedule, { folder });
 * const problems = await validate(played);
 */
export { playSchedule } from "./play-schedule.js";
export type { PlayedSchedule, PlayOptions } from "./play-schedule.js";
