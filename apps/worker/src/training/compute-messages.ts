/** What crosses between the main thread and the compute thread. */

import type { BackendName } from "@ostinato/kernels/tensor";
import type { LeafResult, NumericsProfile, Phase } from "@ostinato/proto";

import type { WorkerErrorCode } from "../errors/index.js";
import type {
  BatchTask,
  ComputeSetup,
  EvaluateTask,
  GradientSlice,
  PreparedCompute,
  TrainedLeaf,
  TrainTask,
} from "./compute.js";

/** The setup as the thread sees it. */
export interface ThreadSetup extends Omit<ComputeSetup, "dataset"> {
  /** The encoded data set; undefined: that of the setup before. */
  readonly encoded: Uint8Array | undefined;
}

/** Each request with what it is asked with and what it is answered with. */
export interface ComputeOperations {
  readonly profiles: {
    readonly input: { readonly backends: readonly BackendName[]; readonly limit: number };
    readonly output: readonly NumericsProfile[];
  };
  readonly prepare: { readonly input: ThreadSetup; readonly output: PreparedCompute };
  readonly batch: { readonly input: BatchTask; readonly output: undefined };
  readonly train: { readonly input: TrainTask; readonly output: readonly TrainedLeaf[] };
  readonly evaluate: { readonly input: EvaluateTask; readonly output: readonly LeafResult[] };
}

export type OperationName = keyof ComputeOperations;

/** Requests are numbered upward from 1; a request is cancelled by its number (see CANCELLED). */
export type ComputeRequest = {
  readonly [K in OperationName]: {
    readonly kind: K;
    readonly id: number;
    readonly input: ComputeOperations[K]["input"];
  };
}[OperationName];

/** What is not answered: memory of gradients that was handed out and is used again. */
export interface RecycledValues {
  readonly kind: "recycled";
  readonly values: Float32Array<ArrayBuffer>;
}

export type ComputeReply =
  | { readonly kind: "gradient"; readonly id: number; readonly slice: GradientSlice }
  | {
      readonly kind: "progress";
      readonly id: number;
      readonly phase: Phase;
      readonly timeSteps: number;
    }
  | {
      readonly kind: "done";
      readonly id: number;
      readonly output: ComputeOperations[OperationName]["output"];
      /** Tensors alive in the thread after the request. */
      readonly numTensors: number;
    }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: WorkerErrorCode;
      readonly message: string;
      /** For the log. */
      readonly stack: string | undefined;
    };

/** What the thread is started with. */
export interface ComputeThreadData {
  /**
   * One Int32 in shared memory: requests up to this number are cancelled. Read with Atomics while
   * a computation runs, as the thread takes in no message then.
   */
  readonly cancelled: Int32Array;
  /** Threads that compute, the compute thread among them. */
  readonly numThreads: number;
}
