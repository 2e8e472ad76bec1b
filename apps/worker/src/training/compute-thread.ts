/** The main thread's end of the compute thread. */

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
} from "./compute-messages.js";
import type {
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
  /** Called after each request with the number of tensors alive in the thread. */
  readonly onTensors?: (numTensors: number) => void;
}

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
  #nextId = 1;
  #lost: WorkerError | undefined;

  constructor(options: ComputeThreadOptions) {
    this.#onTensors = options.onTensors ?? (() => undefined);
    const workerData: ComputeThreadData = { cancelled: this.#cancelled };
    // Without this process's flags: import conditions of a development tool do not hold there.
    this.#thread = new Worker(options.entry, { workerData, execArgv: [], name: "compute" });
    this.#thread.on("message", (reply: ComputeReply) => this.#receive(reply));
    this.#thread.on("error", (error) => this.#lose(messageOf(error)));
    this.#thread.on("exit", (code) => this.#lose(`it ended with code ${code}`));
  }

  profiles(backends: readonly BackendName[]): Promise<readonly NumericsProfile[]> {
    return this.#request("profiles", backends);
  }

  prepare(setup: ComputeSetup): Promise<PreparedCompute> {
    return this.#request("prepare", setup);
  }

  train(
    task: TrainTask,
    events: ComputeEvents,
    signal: AbortSignal,
  ): Promise<readonly TrainedLeaf[]> {
    return this.#request("train", task, events, signal);
  }

  evaluate(
    task: EvaluateTask,
    events: Pick<ComputeEvents, "onProgress">,
    signal: AbortSignal,
  ): Promise<readonly LeafResult[]> {
    return this.#request("evaluate", task, events, signal);
  }

  async close(): Promise<void> {
    this.#lose("it was closed");
    await this.#thread.terminate();
  }

  async #request<K extends OperationName>(
    kind: K,
    input: ComputeOperations[K]["input"],
    events: Partial<ComputeEvents> = {},
    signal?: AbortSignal,
  ): Promise<ComputeOperations[K]["output"]> {
    if (this.#lost !== undefined) throw this.#lost;
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
    this.#thread.postMessage(request);
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
        request.reject(new WorkerError(reply.code, reply.message));
        break;
      default:
        reply satisfies never;
    }
  }

  #lose(reason: string): void {
    this.#lost ??= new WorkerError("threadLost", `the compute thread is gone: ${reason}`);
    for (const request of this.#pending.values()) request.reject(this.#lost);
    this.#pending.clear();
  }
}
