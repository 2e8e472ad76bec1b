/** Reduction and optimizer, off the event loop: promises over the arithmetic thread. */

import type { OptimizerState } from "@ostinato/lstm";
import type { VersionValues } from "@ostinato/proto";
import type { CoordinatorError } from "../errors/index.js";
import { WorkThread } from "../threads/index.js";
import type {
  ApplyRequest,
  ApplyResult,
  ArithmeticInit,
  ArithmeticRequest,
  VersionSummary,
} from "./arithmetic-operations.js";

/** What an `ApplyRequest` is but for its segment, which belongs to the buffer. */
export type StepArithmetic = Omit<ApplyRequest, "segment">;

/** Calls run one after the other, in the order made. Parameters and gradients must be in shared memory. */
export interface Arithmetic {
  add(into: Float32Array, other: Float32Array): Promise<void>;
  apply(request: StepArithmetic): Promise<ApplyResult>;
  summarize(version: VersionValues): Promise<VersionSummary>;
  /** Copies the average that the optimizer keeps to `out`; undefined where it has none. */
  average(out: VersionValues): Promise<VersionSummary | undefined>;
  /** SHA-256 of the bytes, in hex. */
  sha256(values: Float32Array): Promise<string>;
  /** A copy of the optimizer's state as of the last `apply`, whoever asks for it owns until `release`. */
  snapshot(): Promise<OptimizerState>;
  /** Takes a snapshot back: its buffers are those of a later one. */
  release(snapshot: OptimizerState): void;
  close(): Promise<void>;
}

export class ArithmeticThread implements Arithmetic {
  readonly #thread: WorkThread<ArithmeticRequest>;
  readonly #segmentOf: (parameters: Float32Array) => number;
  /** Slots of snapshots that were given back. */
  readonly #freeSlots: OptimizerState["slots"][] = [];

  /**
   * @param entry the compiled `arithmetic-thread.js`
   * @param options.segmentOf the segment that a version's buffer is written to as well; 0: none
   * @param onLost called once if the thread ends by itself: nothing can be committed any more
   */
  constructor(
    entry: URL,
    options: {
      readonly init: ArithmeticInit;
      readonly segmentOf: (parameters: Float32Array) => number;
    },
    onLost: (error: CoordinatorError) => void,
  ) {
    const { init, segmentOf } = options;
    this.#segmentOf = segmentOf;
    this.#thread = new WorkThread(entry, { name: "arithmetic", workerData: init, onLost });
  }

  async add(into: Float32Array, other: Float32Array): Promise<void> {
    await this.#thread.ask({ kind: "add", into, other });
  }

  async apply(step: StepArithmetic): Promise<ApplyResult> {
    const request = { ...step, segment: this.#segmentOf(step.out) };
    return (await this.#thread.ask({ kind: "apply", request })) as ApplyResult;
  }

  async summarize({ parameters, statistics }: VersionValues): Promise<VersionSummary> {
    const version = { parameters, statistics };
    const segment = this.#segmentOf(parameters);
    return (await this.#thread.ask({ kind: "summarize", version, segment })) as VersionSummary;
  }

  async average({ parameters, statistics }: VersionValues): Promise<VersionSummary | undefined> {
    const out = { parameters, statistics };
    const segment = this.#segmentOf(parameters);
    return (await this.#thread.ask({ kind: "average", out, segment })) as
      VersionSummary | undefined;
  }

  async sha256(values: Float32Array): Promise<string> {
    return (await this.#thread.ask({ kind: "sha256", values })) as string;
  }

  async snapshot(): Promise<OptimizerState> {
    const into = this.#freeSlots.pop();
    return (await this.#thread.ask({ kind: "snapshot", into })) as OptimizerState;
  }

  release({ slots }: OptimizerState): void {
    this.#freeSlots.push(slots);
  }

  get isAlive(): boolean {
    return this.#thread.isAlive;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
