/** The main thread's end of the compute thread. */

import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";

import type { BackendName } from "@ostinato/kernels/tensor";
import type { LeafResult, NumericsProfile } from "@ostinato/proto";

import { messageOf, WorkerError } from "../errors/index.js";
import type {
  ComputeOperations,
  ComputeReply,
  ComputeRequest,
  ComputeThreadData,
  OperationName,
  RecycledValues,
  ThreadSetup,
} from "./compute-messages.js";
import type {
  BatchTask,
  Compute,
  ComputeEvents,
  ComputeSetup,
  EvaluateTask,
  PreparedCompute,
  TrainedLeaf,
  TrainTask,
} from "./compute.js";

export interface ComputeThreadOptions {
  /** The compiled module `compute-thread-main.js`. */
  readonly entry: URL;
  /** Threads that compute, this one among them; 1 by default. */
  readonly numThreads?: number;
  /** Called after each request with the number of tensors alive in the thread. */
  readonly onTensors?: (numTensors: number) => void;
}

/**
 * V8 takes memory of arrays that come and go between threads for a heap that grows, and would go over all of it
 * in nearly each step of a model with some million parameters. Below this many MiB it does not look. For heaps
 * made from now on: the thread's.
 */
const HEAP_FLAG = "--initial-heap-size=64";

interface PendingRequest {
  readonly events: Partial<ComputeEvents>;
  readonly resolve: (output: ComputeReply & { kind: "done" }) => void;
  readonly reject: (error: WorkerError) => void;
}

/**
 * Owns a thread in which TensorFlow.js and the model live, so that the main thread's event loop
 * stays free for health checks and the stream however long a step takes.
 */
export class ComputeThread implements Compute {
  readonly #thread: Worker;
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #pending = new Map<number, PendingRequest>();
  readonly #onTensors: (numTensors: number) => void;
  readonly #loss = new AbortController();
  #nextId = 1;
  #gone: WorkerError | undefined;
  /** Digest of the data set that the thread holds. */
  #datasetDigest: string | undefined;

  constructor(options: ComputeThreadOptions) {
    this.#onTensors = options.onTensors ?? (() => undefined);
    const workerData: ComputeThreadData = {
      cancelled: this.#cancelled,
      numThreads: options.numThreads ?? 1,
    };
    setFlagsFromString(HEAP_FLAG);
    // Without this process's flags: import conditions of a development tool do not hold there.
    this.#thread = new Worker(options.entry, { workerData, execArgv: [], name: "compute" });
    this.#thread.on("message", (reply: ComputeReply) => this.#receive(reply));
    this.#thread.on("error", (error) => this.#lose(messageOf(error), error));
    this.#thread.on("exit", (code) => this.#lose(`it ended with code ${code}`));
  }

  get lost(): AbortSignal {
    return this.#loss.signal;
  }

  profiles(
    backends: readonly BackendName[],
    limit = Infinity,
  ): Promise<readonly NumericsProfile[]> {
    return this.#request("profiles", { backends, limit });
  }

  async prepare({ dataset, ...setup }: ComputeSetup): Promise<PreparedCompute> {
    const isHeld = dataset.digest === this.#datasetDigest;
    const encoded = isHeld ? undefined : await dataset.load();
    // What fails half-way leaves nothing that could be relied on.
    this.#datasetDigest = undefined;
    const prepared = await this.#request("prepare", { ...setup, encoded });
    this.#datasetDigest = dataset.digest;
    return prepared;
  }

  async prepareBatch(task: BatchTask): Promise<void> {
    await this.#request("batch", task);
  }

  train(
    task: TrainTask,
    events: ComputeEvents,
    signal: AbortSignal,
  ): Promise<readonly TrainedLeaf[]> {
    return this.#request("train", task, events, signal);
  }

  recycle(values: Float32Array<ArrayBuffer>): void {
    if (this.#gone !== undefined) return;
    const recycled: RecycledValues = { kind: "recycled", values };
    this.#thread.postMessage(recycled, [values.buffer]);
  }

  evaluate(
    task: EvaluateTask,
    events: Pick<ComputeEvents, "onProgress">,
    signal: AbortSignal,
  ): Promise<readonly LeafResult[]> {
    return this.#request("evaluate", task, events, signal);
  }

  async close(): Promise<void> {
    this.#end(new WorkerError("threadLost", "the compute thread is gone: it was closed"));
    await this.#thread.terminate();
  }

  async #request<K extends OperationName>(
    kind: K,
    input: ComputeOperations[K]["input"],
    events: Partial<ComputeEvents> = {},
    signal?: AbortSignal,
  ): Promise<ComputeOperations[K]["output"]> {
    if (this.#gone !== undefined) throw this.#gone;
    if (signal?.aborted === true) throw new WorkerError("cancelled", `${kind} was cancelled`);
    const id = this.#nextId++;
    const cancel = (): void => {
      Atomics.store(this.#cancelled, 0, id);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const done = await new Promise<ComputeReply & { kind: "done" }>((resolve, reject) => {
        this.#pending.set(id, { events, resolve, reject });
        this.#post({ kind, id, input } as ComputeRequest);
      });
      this.#onTensors(done.numTensors);
      // The thread answers a request with the output of its kind.
      return done.output;
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#pending.delete(id);
    }
  }

  #post(request: ComputeRequest): void {
    this.#thread.postMessage(request, request.kind === "prepare" ? ownBuffers(request.input) : []);
  }

  #receive(reply: ComputeReply): void {
    const request = this.#pending.get(reply.id);
    if (request === undefined) return;
    switch (reply.kind) {
      case "gradient":
        request.events.onGradient?.(reply.slice);
        break;
      case "progress":
        request.events.onProgress?.(reply.phase, reply.timeSteps);
        break;
      case "done":
        request.resolve(reply);
        break;
      case "failed":
        request.reject(new WorkerError(reply.code, reply.message, { cause: errorOf(reply) }));
        break;
      default:
        reply satisfies never;
    }
  }

  #lose(reason: string, cause?: unknown): void {
    const lost = new WorkerError("threadLost", `the compute thread is gone: ${reason}`, { cause });
    const isNews = this.#gone === undefined;
    this.#end(lost);
    if (isNews) this.#loss.abort(lost);
  }

  #end(reason: WorkerError): void {
    this.#gone ??= reason;
    for (const request of this.#pending.values()) request.reject(this.#gone);
    this.#pending.clear();
  }
}

/** The data set is moved, not copied, where it is a whole buffer: nobody here needs it any more. */
function ownBuffers({ encoded }: ThreadSetup): ArrayBuffer[] {
  if (encoded?.buffer instanceof ArrayBuffer && encoded.byteLength === encoded.buffer.byteLength) {
    return [encoded.buffer];
  }
  return [];
}

/** The error as it was in the thread, for the log. */
function errorOf({ message, stack }: ComputeReply & { kind: "failed" }): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
