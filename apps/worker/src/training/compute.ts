/** What computes: the contract between a session and the thread that owns TensorFlow.js. */

import type { BackendName } from "@ostinato/kernels/tensor";
import type { LeafResult, NodeId, NumericsProfile, Phase } from "@ostinato/proto";
import type { RunModelSpec } from "@ostinato/run";

import type { RunSettings } from "../shard/index.js";

/** What a run is computed with; replaces what was prepared before. */
export interface ComputeSetup {
  readonly backend: string;
  readonly spec: RunModelSpec;
  readonly settings: RunSettings;
  readonly dataset: {
    readonly digest: string;
    /** The encoded bytes, which are handed over; not called for the data set prepared last. */
    readonly load: () => Promise<Uint8Array>;
  };
}

export interface PreparedCompute {
  /** Values in the carried state of each leaf. */
  readonly stateSizes: readonly number[];
}

export interface TrainTask {
  readonly step: number;
  readonly epochStep: number;
  /** Says which parameters these are; nothing is kept by it from one task to the next. */
  readonly version: number;
  /** The flat parameters of that version; shared memory, unchanged until the task ends. */
  readonly parameters: Float32Array;
  /** The running statistics of that version; likewise. */
  readonly statistics: Float64Array;
  readonly nodes: readonly NodeId[];
  /** Ascending: the leaves of the nodes, all computed as one batch. */
  readonly leaves: readonly number[];
  /** The state each of them starts from. */
  readonly states: readonly Float32Array[];
}

/** What a train task's data depends on. */
export type BatchTask = Pick<TrainTask, "step" | "epochStep" | "leaves">;

export interface EvaluateTask {
  readonly split: string;
  readonly version: number;
  readonly parameters: Float32Array;
  readonly statistics: Float64Array;
  readonly leaves: readonly number[];
}

/** A slice of a node's summed gradient, in the order that backward produces: last layer first. */
export interface GradientSlice {
  /** Index into the task's nodes. */
  readonly node: number;
  /** Place of the first value in the flat buffer. */
  readonly firstValue: number;
  readonly values: Float32Array<ArrayBuffer>;
  /** Values of a row where the slice is a matrix; 0 where it is none. */
  readonly rowValues: number;
}

export interface TrainedLeaf {
  readonly result: LeafResult;
  /** The state that the next step of this leaf starts from. */
  readonly state: Float32Array;
  /** Moments of the batch normalizations, as `flattenMoments` has them; empty if there are none. */
  readonly moments: Float64Array;
}

export interface ComputeEvents {
  readonly onProgress: (phase: Phase, timeSteps: number) => void;
  readonly onGradient: (slice: GradientSlice) => void;
}

/**
 * One task at a time, in the order asked for.
 *
 * Rejections are WorkerErrors: `cancelled` after the signal, `badLease` for a task that cannot be
 * computed, `compute` for a computation that failed, `threadLost` when nothing can be computed any more.
 */
export interface Compute {
  /**
   * The numerics profiles of those backends that work here, in the order given; each takes a computation
   * of up to a second.
   *
   * @param limit how many to find at most; all unless given
   */
  profiles(backends: readonly BackendName[], limit?: number): Promise<readonly NumericsProfile[]>;
  prepare(setup: ComputeSetup): Promise<PreparedCompute>;
  /** Makes a batch ahead, for the train task of the same step and leaves; another task's is dropped. */
  prepareBatch(task: BatchTask): Promise<void>;
  train(
    task: TrainTask,
    events: ComputeEvents,
    signal: AbortSignal,
  ): Promise<readonly TrainedLeaf[]>;
  /** Takes the memory of a gradient slice back, for those to come: its values are not to be read any more. */
  recycle(values: Float32Array<ArrayBuffer>): void;
  evaluate(
    task: EvaluateTask,
    events: Pick<ComputeEvents, "onProgress">,
    signal: AbortSignal,
  ): Promise<readonly LeafResult[]>;
  /**
   * Aborts when nothing can be computed any more, also between tasks; its reason is the WorkerError
   * `threadLost`. Stays as it is when closed on purpose.
   */
  readonly lost: AbortSignal;
  /** Ends it, also in the middle of a task. */
  close(): Promise<void>;
}
