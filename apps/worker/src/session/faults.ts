/** What follows from a failed attempt: another one, the end of the worker, or the end of the run. */

import { WireError } from "@ostinato/proto";

import { messageOf, WorkerError } from "../errors/index.js";

/** Refusals that another attempt would only repeat. */
const FINAL_REFUSALS: ReadonlySet<WireError["code"]> = new Set([
  "profileRefused",
  "protocolVersion",
  "badMessage",
  "forbidden",
] as const);

/** Faults of ours that another attempt may mend. */
const PASSING_FAULTS: ReadonlySet<WorkerError["code"]> = new Set([
  "streamLost",
  "protocol",
  "dataCorrupt",
] as const);

/**
 * Whether another attempt may mend it.
 *
 * @param hasJoined whether this worker was taken in before: then its token is known, and is being changed
 */
export function isPassing(error: unknown, hasJoined: boolean): boolean {
  if (error instanceof WireError) {
    return error.code === "unauthenticated" ? hasJoined : !FINAL_REFUSALS.has(error.code);
  }
  return error instanceof WorkerError && PASSING_FAULTS.has(error.code);
}

/** Whether the run computes with a profile that was not among those offered. */
export function isOfferRefused(error: unknown): boolean {
  return error instanceof WireError && error.code === "profileRefused";
}

/** Whether the coordinator hands out no more work: nothing is left to do, and nothing is wrong. */
export function isRunEnding(error: unknown): boolean {
  return error instanceof WireError && error.code === "shuttingDown";
}

/** The error to end the worker with. */
export function asFinal(error: unknown, address: string): WorkerError {
  if (error instanceof WorkerError) return error;
  if (error instanceof WireError) {
    return new WorkerError("refused", `refused by ${address}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return new WorkerError("compute", messageOf(error), { cause: error });
}
