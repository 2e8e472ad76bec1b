import { Worker } from "node:worker_threads";
import { CoordinatorError } from "../errors/index.js";
import type { Answer, Asked } from "./answer-requests.js";

export interface WorkThreadOptions {
  /** Stands in messages and in what lists threads. */
  readonly name: string;
  /** Cloned into the thread, but for what is in shared memory. */
  readonly workerData: unknown;
  /** Called once if the thread ends by itself. */
  readonly onLost: (error: CoordinatorError) => void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * What a thread works on is in shared memory. Of its own it allocates next to nothing, for which the engine
 * would let space for young objects grow to tens of megabytes.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4 };

/** A thread that answers requests, from outside. */
export class WorkThread<Request> {
  readonly #name: string;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onLost: (error: CoordinatorError) => void;
  #nextId = 1;
  #failure: CoordinatorError | undefined;
  #isClosing = false;

  /** @param entry the compiled module that calls `answerRequests` */
  constructor(entry: URL, { name, workerData, onLost }: WorkThreadOptions) {
    this.#name = name;
    this.#onLost = onLost;
    // Without this process's flags: import conditions of a development tool do not hold there.
    this.#worker = new Worker(entry, {
      ...{ workerData, name },
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
    });
    this.#worker.on("message", ({ id, result, error }: Answer) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(new CoordinatorError("internal", `${name}: ${error}`));
    });
    this.#worker.on("error", (error) => {
      this.#fail(`failed: ${String(error)}`);
    });
    this.#worker.on("exit", () => {
      this.#fail("has ended");
    });
  }

  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Requests are answered one after the other, in the order made.
   *
   * @returns the result, a structured clone
   * @throws {CoordinatorError} `internal`: what the request threw there, or that the thread is gone
   */
  ask(request: Request): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request } satisfies Asked<Request>);
    });
  }

  /** Ends the thread, whatever it is at. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#worker.terminate();
  }

  #fail(what: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new CoordinatorError("internal", `the ${this.#name} thread ${what}`);
    if (!this.#isClosing) this.#onLost(this.#failure);
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}
