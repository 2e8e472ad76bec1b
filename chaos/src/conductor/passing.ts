/** A message on its way, as a fault's moment names it. */

import type { CoordinatorMessage, WorkerMessage } from "@ostinato/proto";
import type { PassedUpload, PassingMessage } from "../faults/index.js";

/** A message at a moment that a fault can name. */
export interface Passing {
  readonly phase: string;
  readonly step: number;
  /** How many there were of this phase in this step, this one included. */
  readonly count: number;
  readonly fence: number;
  readonly message: PassingMessage;
  readonly upload: PassedUpload | undefined;
}

export function phaseUp({ kind }: WorkerMessage): string | undefined {
  switch (kind) {
    case "uploadBegin":
      return "begin";
    case "frame":
      return "upload";
    case "uploadEnd":
      return "end";
    default:
      return undefined;
  }
}

export function phaseDown(message: CoordinatorMessage): string | undefined {
  if (message.kind !== "lease") return undefined;
  return message.lease.leaseKind === "train" ? "lease" : "evaluation";
}
