/** Reduction and optimizer, off the event loop: promises over the arithmetic thread. */

import { Worker } from "node:worker_threads";
import type { OptimizerState } from "@ostinato/lstm";
import type { VersionValues } from "@ostinato/proto";
import { CoordinatorError } from "../errors/index.js";
import type {
  ApplyRequest,
  ApplyResult,
  ArithmeticInit,
  ArithmeticRequest,
  VersionSummary,
} from "./arithmetic-operations.js";

/** Calls run one after the other, in the order made. Parameters and gradients must be in shared memory. */
export interface Arithmetic {
  add(into: Float32Array, other: Float32Array): Promise<void>;
  apply(request: ApplyRequest): Promise<ApplyResult>;
  summarize(version: VersionValues): Promise<VersionSummary>;
  /** Copies the average that the optimizer keeps to `out`; undefined where it has none. */
  average(out: VersionValues): Promise<VersionSummary | undefined>;
  /** A copy of the optimizer's state as of the last `apply`. */
  snapshot(): Promise<OptimizerState>;
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class ArithmeticThread implements Arithmetic {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  readonly #onLost: (error: CoordinatorError) => void;
  #failure: CoordinatorError | undefined;
  #isClosing = false;

  /**
   * @param entry the compiled `arithmetic-thread.js`
   * @param onLost called once if the thread ends by itself: nothing can be committed any more
   */
  constructor(entry: URL, init: ArithmeticInit, onLost: (error: CoordinatorError) => void) {
    this.#onLost = onLost;
    this.#worker = new Worker(entry, { workerData: init });
    this.#worker.on("message", (reply: { id: number; result?: unknown; error?: string }) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.error === undefined) pending?.resolve(reply.result);
      else pending?.reject(new CoordinatorError("internal", `arithmetic: ${reply.error}`));
    });
    this.#worker.on("error", (error) => {
      this.#fail(
        new CoordinatorError("internal", `the arithmetic thread failed: ${String(error)}`),
      );
    });
    this.#worker.on("exit", () => {
      this.#fail(new CoordinatorError("internal", "the arithmetic thread has ended"));
    });
  }

  async add(into: Float32Array, other: Float32Array): Promise<void> {
    await this.#call({ kind: "add", into, other });
  }

  async apply(request: ApplyRequest): Promise<ApplyResult> {
    return (await this.#call({ kind: "apply", request })) as ApplyResult;
  }

  async summarize({ parameters, statistics }: VersionValues): Promise<VersionSummary> {
    const version = { parameters, statistics };
    return (await this.#call({ kind: "summarize", version })) as VersionSummary;
  }

  async average({ parameters, statistics }: VersionValues): Promise<VersionSummary | undefined> {
    const out = { parameters, statistics };
    return (await this.#call({ kind: "average", out })) as VersionSummary | undefined;
  }

  async snapshot(): Promise<OptimizerState> {
    return (await this.#call({ kind: "snapshot" })) as OptimizerState;
  }

  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#worker.terminate();
  }

  #call(request: ArithmeticRequest): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request });
    });
  }

  #fail(error: CoordinatorError): void {
    if (this.#failure === undefined && !this.#isClosing) this.#onLost(error);
    this.#failure ??= error;
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}
