/**
 * The messages of the protocol as plain immutable values; coordinator.proto says what each means.
 *
 * Numbers are unsigned 32-bit integers unless their comment says otherwise. `bytes` decoded from the
 * wire are views on the message they came in: unaligned, and valid for as long as they are held.
 */

/** Which arithmetic a process computes with: equal profiles give equal bits. */
export interface NumericsProfile {
  readonly backend: string;
  readonly version: string;
  /** SHA-256, in hex, of the results of a fixed small computation. */
  readonly digest: string;
}

/** A node of the gradient tree: `numLeaves` (a power of two) leaves from `firstLeaf`, its multiple. */
export interface NodeId {
  readonly firstLeaf: number;
  readonly numLeaves: number;
}

export interface JoinRequest {
  readonly protocolVersion: number;
  /** For people. */
  readonly workerName: string;
  /** At least one, the preferred one first. */
  readonly profiles: readonly NumericsProfile[];
}

export interface JoinReply {
  readonly workerId: string;
  readonly jobId: string;
  readonly incarnation: number;
  readonly profile: NumericsProfile;
  readonly configJson: string;
  readonly modelJson: string;
  readonly dataDigest: string;
  /** At least 1. */
  readonly deadlineMs: number;
  readonly streamToken: string;
  /** Name of the folder of segments in shared memory; empty where there is none. */
  readonly segmentFolder: string;
}

export type TransferKind = "parameters" | "gradient" | "carriedState" | "moments" | "statistics";

/** The rows that a frame covers, those among them that it leaves out being zeros to the bit. */
export interface SparseRows {
  readonly rowValues: number;
  readonly numRows: number;
  /** One bit a row, the lowest of a byte first: 1 if the payload has the row. */
  readonly mask: Uint8Array;
}

/** A slice of a tensor of little-endian values: float64 for `moments` and `statistics`, else float32. */
export interface TensorFrame {
  readonly transfer: number;
  readonly transferKind: TransferKind;
  /** The leaf whose carried state or moments these are; 0 for the other kinds. */
  readonly leaf: number;
  /** Place of the first value in the flat buffer, counted in values. */
  readonly firstValue: number;
  /** At most `MAX_FRAME_BYTES`; what else a frame must be, `checkFrame` says. */
  readonly payload: Uint8Array;
  /** Of the mask, if there is one, and the payload. */
  readonly crc32: number;
  /** Of a gradient alone; undefined: no row is left out. */
  readonly rows?: SparseRows | undefined;
  /** Of a gradient alone: values whose lower halves are zeros travel as their upper ones. */
  readonly valueFormat?: "bfloat16" | undefined;
}

/**
 * A slice of the parameters (downward) or of a node's gradient (upward) whose float32 values lie in shared memory,
 * at the same place of the segment as in the flat buffer. At most `MAX_FRAME_BYTES`.
 */
export interface SegmentFrame {
  readonly transfer: number;
  /** Number of the segment among those of its sender, from 1. */
  readonly segment: number;
  readonly firstValue: number;
  /** At least 1. */
  readonly numValues: number;
  readonly crc32: number;
}

/** Why an upload was refused. `docs/protocol.md` says what each means. */
export const UPLOAD_REJECTIONS = [
  "foreignJob",
  "staleIncarnation",
  "staleStep",
  "staleLease",
  "duplicate",
  "checksum",
  "shape",
  "malformed",
  "nonFinite",
] as const;

export type UploadRejection = (typeof UPLOAD_REJECTIONS)[number];

/** What one leaf contributed to a step or an evaluation. */
export interface LeafResult {
  readonly leaf: number;
  /** Sum of the loss terms in the unit of the model's loss, float64. */
  readonly lossSum: number;
  /** Sum of their weights, float64. */
  readonly lossWeight: number;
  readonly numSamples: number;
  /** SHA-256 (32 bytes) of the ids and bytes of the samples really computed. */
  readonly sampleDigest: Uint8Array;
}

export type Phase = "prepare" | "forward" | "backward" | "upload" | "evaluate";

/** What a worker sends on its Train stream. */
export type WorkerMessage =
  | {
      readonly kind: "attach";
      readonly workerId: string;
      readonly streamToken: string;
      /** The worker reads and writes segments in the folder that the coordinator named. */
      readonly sharesMemory: boolean;
    }
  | {
      readonly kind: "uploadBegin";
      readonly transfer: number;
      readonly jobId: string;
      readonly incarnation: number;
      readonly step: number;
      readonly fence: number;
      readonly node: NodeId;
    }
  | { readonly kind: "frame"; readonly frame: TensorFrame }
  | { readonly kind: "segmentFrame"; readonly frame: SegmentFrame }
  | {
      readonly kind: "uploadEnd";
      readonly transfer: number;
      readonly leaves: readonly LeafResult[];
      readonly numFrames: number;
      /** `checksumOfFrames` of the frames sent. */
      readonly checksum: number;
    }
  | {
      readonly kind: "evaluationResult";
      readonly jobId: string;
      readonly incarnation: number;
      readonly step: number;
      readonly fence: number;
      readonly leaves: readonly LeafResult[];
    }
  | {
      readonly kind: "progress";
      readonly fence: number;
      readonly phase: Phase;
      readonly timeSteps: number;
    }
  /** The process is there, whether its lease moves or not. Renews nothing. */
  | { readonly kind: "heartbeat" }
  | { readonly kind: "returnLeases"; readonly reason: string }
  | {
      readonly kind: "leaseEnded";
      readonly fence: number;
      /** Empty when done or revoked. */
      readonly error: string;
    };

export interface LeafLease {
  readonly leaf: number;
  /** Where the carried state comes from: all zeros, kept by the worker, or sent with the lease. */
  readonly state: "zero" | "held" | "sent";
}

export interface Lease {
  readonly fence: number;
  readonly leaseKind: "train" | "evaluate";
  readonly step: number;
  /** The parameter version to compute with. */
  readonly version: number;
  readonly epoch: number;
  readonly epochStep: number;
  readonly nodes: readonly NodeId[];
  readonly leaves: readonly LeafLease[];
  /** The split to evaluate; empty for training. */
  readonly split: string;
  /** Transfer of the carried states sent with this lease; 0 when none was. */
  readonly transfer: number;
  /** Each loss term's weight summed over the global batch, float64. */
  readonly lossWeightTotals: readonly number[];
}

/** What a coordinator sends on a worker's Train stream. */
export type CoordinatorMessage =
  | {
      readonly kind: "parameters";
      readonly transfer: number;
      readonly version: number;
      readonly numFrames: number;
      /** `digestOfFrames` of the frames that follow, 32 bytes. */
      readonly digest: Uint8Array;
    }
  | { readonly kind: "frame"; readonly frame: TensorFrame }
  | { readonly kind: "segmentFrame"; readonly frame: SegmentFrame }
  | { readonly kind: "lease"; readonly lease: Lease }
  | { readonly kind: "revoke"; readonly fence: number; readonly reason: string }
  | {
      readonly kind: "uploadRejected";
      readonly fence: number;
      readonly node: NodeId;
      readonly reason: string;
    }
  | { readonly kind: "stop"; readonly failed: boolean; readonly reason: string };

export interface FetchDataRequest {
  readonly digest: string;
}

/** A piece of the encoded data set. */
export interface DataChunk {
  /** Place of the first byte; `offset` + the payload's length is at most `totalBytes`. */
  readonly offset: number;
  readonly totalBytes: number;
  /** At most `MAX_FRAME_BYTES`. */
  readonly payload: Uint8Array;
  /** CRC-32 of the payload; whoever stores the chunk checks it. */
  readonly crc32: number;
}

export interface WorkerStatus {
  readonly workerId: string;
  readonly name: string;
  readonly state: string;
  /** Leaves leased to it that are not complete. */
  readonly leaves: readonly number[];
  readonly phase: string;
  readonly sinceProgressMs: number;
  /** Since it joined. */
  readonly hereSeconds: number;
  /** Over its last leases; NaN before the first. */
  readonly samplesPerSecond: number;
}

export interface StatusReply {
  readonly jobId: string;
  readonly incarnation: number;
  readonly state: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  /** Mean loss of the last committed step in the unit of the model's loss, float64. */
  readonly loss: number;
  readonly workers: readonly WorkerStatus[];
  /** What the step waits for, since when and what happens next; empty while it moves. */
  readonly waitingFor: string;
  readonly runDirectory: string;
  readonly metricsAddress: string;
  readonly deadlineMs: number;
  /** What is waited for is worth a warning: nothing moves. */
  readonly stalled: boolean;
  /** With fewer no step begins. */
  readonly minWorkers: number;
  /** Over the last steps; NaN before there are two. */
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
  /** Of the step or evaluation that is being collected; 0 between two. */
  readonly numLeaves: number;
  readonly leavesDone: number;
  /** Since its first lease. */
  readonly roundSeconds: number;
  /** Since the newest checkpoint of this incarnation was complete; NaN before. */
  readonly checkpointAgeSeconds: number;
}

/** What happens in a run. Loss, rates, norm and seconds are float64. */
export type WatchEvent =
  | {
      readonly kind: "step";
      readonly step: number;
      readonly totalSteps: number;
      readonly epoch: number;
      readonly loss: number;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly samplesPerSecond: number;
      readonly workers: number;
      readonly secondsLeft: number;
      readonly skipped: boolean;
      readonly replayed: boolean;
    }
  | {
      readonly kind: "evaluation";
      readonly step: number;
      readonly split: string;
      readonly loss: number;
      readonly best: boolean;
    }
  | { readonly kind: "notice"; readonly level: "info" | "warn"; readonly text: string }
  | {
      readonly kind: "ended";
      readonly outcome: "completed" | "stopped" | "failed";
      readonly reason: string;
      readonly step: number;
      readonly parametersSha256: string;
    };
