/**
 * Incarnations: which process works in a run directory, and the proof that it still may.
 *
 * @example
 * ```ts
 * const processes = procProcesses({ process, host: hostname() });
 * const claim = await claimRun(paths.incarnations, { processes, clock: systemClock, deadlineMs: 30_000 });
 * claim.requireHeld(); // before whatever must not be done by two
 * claim.release();
 * ```
 *
 * @module
 */
export { claimRun } from "./claim-run.js";
export type { RunClaim } from "./claim-run.js";
export type { ClaimClock, Claimant } from "./claimant.js";
export { readIncarnation } from "./incarnation-file.js";
export type { Holder, SeenIncarnation } from "./incarnation-file.js";
export { isProcessAlive, procProcesses } from "./process-identity.js";
export type {
  Processes,
  ProcessIdentity,
  ProcProcessesOptions,
  SignalSender,
} from "./process-identity.js";
