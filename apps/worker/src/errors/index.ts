/** What can go wrong in a worker, as a code with one line for people. */

import { onOneLine } from "@ostinato/proto";

export type WorkerErrorCode =
  /** No coordinator answered within the deadline, or none kept this worker for so long. */
  | "unreachable"
  /** A coordinator answered, and this worker cannot take part in its run. */
  | "refused"
  /** The address now serves another job than the one first joined. */
  | "jobChanged"
  /** No numerics profile can be computed here. */
  | "noBackend"
  /** The data set is not what its digest says, fetched afresh. */
  | "dataCorrupt"
  /** A message that the protocol does not allow at this place. */
  | "protocol"
  /** The Train stream ended. */
  | "streamLost"
  /** A lease that this worker cannot compute. */
  | "badLease"
  /** A computation was given up on request. */
  | "cancelled"
  /** A computation failed; the next one may not. */
  | "compute"
  /** The compute thread died: nothing can be computed any more. */
  | "threadLost"
  /** An error came up that nobody caught: the process is in no state to go on. */
  | "internal";

/** Its message is one line of a bounded length, whatever was put into it. */
export class WorkerError extends Error {
  readonly code: WorkerErrorCode;

  constructor(code: WorkerErrorCode, message: string, options?: ErrorOptions) {
    super(onOneLine(message), options);
    this.name = "WorkerError";
    this.code = code;
  }
}

/** The one line of anything thrown: its first, fit for a terminal and for the wire. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return onOneLine(text.split("\n", 1)[0] ?? "");
}
