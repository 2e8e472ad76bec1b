/**
 * Time-outs: one setting, `deadline`, and everything that derives from it. A door of its own, which
 * imports nothing, for the libraries that need a time-out and nothing else of the runtime.
 *
 * @example
 * const { leaseMs, keepaliveMs } = deriveTimeouts(30_000); // 30 000 and 10 000
 *
 * @module
 */
export {
  DEFAULT_DEADLINE_MS,
  deriveTimeouts,
  describeTimeouts,
  FIXED_TIMEOUTS,
} from "./derive-timeouts.js";
export type { DescribedTimeout, Timeouts } from "./derive-timeouts.js";
export type { FixedTimeoutName, TimeoutName, TimeoutOwner } from "./table.js";
