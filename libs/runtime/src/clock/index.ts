/**
 * Time as a thing that is given, so that tests can hold it.
 *
 * @example
 * const timer = clock.setTimer(deadlineMs, expire);
 * timer.cancel();
 */
export type { Clock, Timer } from "./clock.js";
export { systemClock } from "./clock.js";
export { ManualClock } from "./manual-clock.js";
