import type { CoordinatorMessage, WorkerMessage } from "@ostinato/proto";
import type { SeenMessage } from "../history/index.js";

/** What a history keeps of a message; undefined for tensors, progress and heartbeats, of which there are too many. */
export function seen(message: WorkerMessage | CoordinatorMessage): SeenMessage | undefined {
  switch (message.kind) {
    case "frame":
    case "segmentFrame":
    case "progress":
    case "heartbeat":
    case "parameters":
      return undefined;
    case "attach":
      return { kind: message.kind };
    case "uploadBegin": {
      const { kind, step, fence, node } = message;
      return { kind, step, fence, node };
    }
    case "uploadEnd":
      return { kind: message.kind, leaves: message.leaves.map(({ leaf }) => leaf) };
    case "evaluationResult": {
      const { kind, step, fence, leaves } = message;
      return { kind, step, fence, leaves: leaves.map(({ leaf }) => leaf) };
    }
    case "lease": {
      const { fence, step, leaseKind, leaves } = message.lease;
      return { kind: "lease", fence, step, leaseKind, leaves: leaves.map(({ leaf }) => leaf) };
    }
    case "revoke": {
      const { kind, fence, reason } = message;
      return { kind, fence, reason };
    }
    case "uploadRejected": {
      const { kind, fence, node, reason } = message;
      return { kind, fence, node, reason };
    }
    case "leaseEnded": {
      const { kind, fence, error } = message;
      return { kind, fence, error };
    }
    case "returnLeases":
    case "stop":
      return { kind: message.kind, reason: message.reason };
    default:
      return message satisfies never;
  }
}
