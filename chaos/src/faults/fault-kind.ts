/** What a kind of fault is, and what it may lay its hands on. */

import type { CoordinatorMessage, UploadRejection, WorkerMessage } from "@ostinato/proto";
import type { AgentCommand, DiskFault, LedgerFault } from "../agent/index.js";
import type { Relay } from "../proxy/index.js";
import type { FaultKindToDraw, ScheduledFault } from "../schedule/index.js";
import type { PassedUpload } from "./uploads/index.js";

export type PassingMessage = WorkerMessage | CoordinatorMessage;

/** A worker's place, and the way to it. */
export interface SlotHands {
  readonly relay: Relay;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly tell: (command: AgentCommand) => Promise<void>;
  /**
   * When the present process has ended, the next one waits for `until`; resolves when that may start.
   *
   * @param isMissed whether no step begins without it
   */
  readonly stayAway: (
    until: Promise<void>,
    options: { readonly isMissed: boolean },
  ) => Promise<void>;
  /** Resolves when the coordinator has taken this lease away, or the stream is gone. */
  readonly leaseGone: (fence: number) => Promise<void>;
  /** Resolves when the worker's present stream is closed. */
  readonly streamClosed: () => Promise<void>;
  /** The uploads of this identity so far, the newest last. */
  readonly uploads: readonly PassedUpload[];
  /** The answer to what is injected is for us, not for the worker. */
  readonly expectRejection: (fence: number, reasons: readonly UploadRejection[]) => void;
  /** From now on every message up waits so long, so many of them. */
  readonly delay: (milliseconds: number, numMessages: number) => void;
}

export interface CoordinatorHands {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly tell: (command: AgentCommand) => Promise<void>;
  /** Many identities that nobody will use. @returns how many were given, and how many refused */
  readonly joinMany: (
    count: number,
  ) => Promise<{ readonly joined: number; readonly refused: number }>;
  /** One of the same config and a run directory of its own. @returns what it ends with; undefined: it is ready */
  readonly startAnother: (listen: string) => Promise<string | undefined>;
  /** Done to the newest checkpoint before the coordinator starts again; returns what was done. */
  readonly beforeRestart: (damage: (checkpoint: string) => string) => void;
}

/** What a fault may do with all workers together. */
export interface ClusterHands {
  /** The newest that was leased. */
  readonly step: number;
  /** How many workers have a stream now. */
  readonly attached: number;
  /** Resolves when a lease of this step, or of a later one, passes. */
  readonly stepBegun: (step: number) => Promise<void>;
  /** Those that were not there so far; resolves when all of them are. */
  readonly startLate: () => Promise<void>;
}

/** The moment has come: this message is passing, and waits for `fire` to resolve. */
export interface FaultMoment {
  readonly fault: ScheduledFault;
  readonly message: PassingMessage;
  /** The upload that the message belongs to, so far. */
  readonly upload: PassedUpload | undefined;
  readonly fence: number;
  readonly slot: SlotHands;
  readonly coordinator: CoordinatorHands;
  readonly cluster: ClusterHands;
  /** Half of which is when a lease is late; see cluster.deadlineSeconds. */
  readonly deadlineMs: number;
  /** Says that the fault did what it is there for. */
  readonly evidence: (text: string) => void;
  /** Goes on after the message has; whoever runs the schedule waits for it at the end. */
  readonly meanwhile: (task: Promise<void>) => void;
}

/** What passes instead; undefined: the message as it is. */
export type Replacement = readonly PassingMessage[] | undefined;

/** `later`: this message will not do, the next one may. */
export type Instead = Replacement | "later";

export interface FaultKind extends FaultKindToDraw {
  /** Done at the moment; absent where the agent does it by itself. */
  readonly fire?: (moment: FaultMoment) => Promise<Instead> | Instead;
  /** Whether this message will do; any of the phase unless given. */
  readonly takes?: (message: PassingMessage) => boolean;
  /** Its moment comes later where fewer workers have a stream; 1 unless given. */
  readonly minAttached?: number;
  /** So many of the last places are empty before it. */
  readonly numLate?: (fault: ScheduledFault) => number;
  /** Steps are to be computed with workers missing: in its schedules no minimum of them is set. */
  readonly isElastic?: true;
  /** What the coordinator's agent is to do by itself. */
  readonly ledger?: (fault: ScheduledFault) => LedgerFault;
  readonly disk?: (fault: ScheduledFault) => DiskFault;
  /** The coordinator's process is gone after it, by whatever hand, and is to be started again. */
  readonly endsCoordinator?: true;
  /** How the coordinator shows that it noticed, and whom it holds responsible. */
  readonly shows: Signs;
}

/** Any one of these in the run's records is enough; they name the worker where one is to blame. */
export interface Signs {
  /** Upload refused for one of these reasons, in the worker's name. */
  readonly rejections?: readonly UploadRejection[];
  /** The worker's lease was taken away, or its stream ended. */
  readonly leaseGone?: true;
  /** A line of the coordinator's log; `WORKER` in it stands for the worker's id, `STEP` for the fault's step or one of the three after it. */
  readonly logLine?: string;
  /** The coordinator was started again, and said so in the ledger. */
  readonly resume?: true;
  /** A resume skipped a checkpoint and gave the reason. */
  readonly skippedCheckpoint?: true;
  /** Nothing: it is no fault to anybody but the clock. What was done is in the evidence. */
  readonly nothing?: true;
}
