/**
 * Hang autopsy: what the run waits for, since when, and what will happen when, in one sentence.
 *
 * @example
 * const wait = findWait(sources, clock.now());
 * logger.warn(wait?.text ?? "the run moves");
 */
export { findWait } from "./find-wait.js";
export { StallWatch } from "./stall-watch.js";
export type { StallWatchModules, StallWatchOptions } from "./stall-watch.js";
export type { AutopsySources, Collecting, Wait, WatchedWorker } from "./wait.js";
