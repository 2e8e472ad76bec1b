/**
 * Processes that are to be workers, and get ready before they are told of which coordinator.
 *
 * @example
 * ```ts
 * const child = startChild(standbyArguments(1)); // there: await standBy(process.argv.slice(2), …)
 * child.send(startMessage(["worker", "--coordinator", address]));
 * ```
 *
 * @module
 */
export { standbyArguments, standBy, startMessage } from "./standby.js";
export type { Standby, StandbyProcess } from "./standby.js";
