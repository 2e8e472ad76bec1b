/** What a run can wait for, and what is looked at to tell. */

import type { NodeId } from "@ostinato/proto";
import type { LeaseRecord } from "../../leases/index.js";

/** What is waited for, in a sentence and in the parts that tell one wait from another. */
export interface Wait {
  /** What waits, such as "step 12". */
  readonly subject: string;
  /** Equal as long as the same thing is waited for. */
  readonly cause: string;
  readonly sinceMs: number;
  /** What waits, on what, since when, and what will happen when. */
  readonly text: string;
  /** Nothing moves. False: it moves slowly. */
  readonly isStall: boolean;
}

export interface WatchedWorker {
  readonly workerId: string;
  readonly name: string;
  readonly state: string;
  readonly joinedAtMs: number;
  readonly link?:
    | {
        /** Since when it has not said a word but heartbeats, while it has a lease to end. */
        readonly busyAndSilentSinceMs: number | undefined;
        /** When its process last showed that it is there, by any message. */
        readonly heardAtMs: number;
      }
    | undefined;
}

/** The round that is being collected. */
export interface Collecting {
  readonly kind: "train" | "evaluate";
  readonly step: number;
  readonly sinceMs: number;
  /** When its first lease was granted; undefined before. */
  readonly begunAtMs: number | undefined;
  readonly leases: {
    active(): readonly LeaseRecord[];
    unfinished(lease: LeaseRecord): readonly number[];
    freeLeaves(): readonly number[];
    /** When anything last moved in any lease of the round; undefined before the first one. */
    readonly lastProgressMs: number | undefined;
  };
  /** Nodes to be computed once more, by somebody else if possible. */
  readonly retries: readonly { readonly node: NodeId; readonly notBy: string }[];
  /** What the gatekeeper waits for, while no lease does. */
  readonly gate:
    { readonly what: string; readonly next: string; readonly sinceMs: number } | undefined;
}

export interface AutopsySources {
  readonly deadlineMs: number;
  readonly workers: readonly WatchedWorker[];
  readonly presence: {
    readonly minWorkers: number;
    readonly isEnough: boolean;
    readonly noneSinceMs: number | undefined;
    readonly tooFewSinceMs: number | undefined;
  };
  readonly collecting: Collecting | undefined;
  /** What the coordinator itself is at, if it is not collecting. */
  readonly ownWork:
    | {
        readonly subject: string;
        readonly what: string;
        readonly kind: "arithmetic" | "storage";
        readonly sinceMs: number;
      }
    | undefined;
  /** Transfers of the data set to workers that get ready. */
  readonly fetches: readonly {
    readonly bytesSent: number;
    readonly totalBytes: number;
    readonly movedAtMs: number;
  }[];
}
