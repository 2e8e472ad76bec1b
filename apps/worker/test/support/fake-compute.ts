import type { NumericsProfile } from "@ostinato/proto";

import { WorkerError } from "../../src/errors/index.js";
import type {
  BatchTask,
  Compute,
  ComputeEvents,
  ComputeSetup,
  EvaluateTask,
  PreparedCompute,
  TrainedLeaf,
  TrainTask,
} from "../../src/training/index.js";

export const PROFILE: NumericsProfile = { backend: "wasm", version: "4.22.0", digest: "ab12" };

/** What a test decides about one train call. */
export interface HeldTask {
  readonly task: TrainTask;
  readonly events: ComputeEvents;
  finish(): void;
  fail(error: unknown): void;
}

/** Computes nothing: a leaf's result follows from its number. Tasks wait for the test where told so. */
export class FakeCompute implements Compute {
  readonly setups: ComputeSetup[] = [];
  /** Made ahead. */
  readonly batches: BatchTask[] = [];
  readonly tasks: TrainTask[] = [];
  readonly evaluations: EvaluateTask[] = [];
  readonly held: HeldTask[] = [];
  /** Gradients whose memory came back. */
  readonly recycled: Float32Array[] = [];
  offers: readonly NumericsProfile[] = [PROFILE];
  /** Tasks end only when the test says so (or they are cancelled). */
  holdsTasks = false;
  stateSizes: readonly number[] = [2, 2, 2, 2];
  /** Values of each leaf's moments. */
  numMoments = 0;
  /** Aborted by the test, with a WorkerError: the thread died. */
  readonly loss = new AbortController();
  #dataset: { readonly digest: string; readonly bytes: Uint8Array } | undefined;

  get lost(): AbortSignal {
    return this.loss.signal;
  }

  /** The data set it holds. */
  get dataset(): Uint8Array | undefined {
    return this.#dataset?.bytes;
  }

  profiles(_: readonly string[], limit = Infinity): Promise<readonly NumericsProfile[]> {
    return Promise.resolve(this.offers.slice(0, limit));
  }

  async prepare(setup: ComputeSetup): Promise<PreparedCompute> {
    this.setups.push(setup);
    const { digest, load } = setup.dataset;
    if (this.#dataset?.digest !== digest) this.#dataset = { digest, bytes: await load() };
    return { stateSizes: this.stateSizes };
  }

  prepareBatch(task: BatchTask): Promise<void> {
    this.batches.push(task);
    return Promise.resolve();
  }

  async train(
    task: TrainTask,
    events: ComputeEvents,
    signal: AbortSignal,
  ): Promise<readonly TrainedLeaf[]> {
    this.tasks.push(task);
    if (this.holdsTasks) {
      await new Promise<void>((resolve, reject) => {
        this.held.push({ task, events, finish: resolve, fail: reject });
        signal.addEventListener("abort", () => {
          reject(new WorkerError("cancelled", "cancelled"));
        });
      });
    }
    for (const node of task.nodes.keys()) {
      const values = Float32Array.from(task.parameters, (value) => value + 1);
      events.onGradient({ node, firstValue: 0, values, rowValues: 0 });
    }
    return task.leaves.map((leaf) => ({
      result: {
        leaf,
        lossSum: leaf + 0.5,
        lossWeight: 3,
        numSamples: 3,
        sampleDigest: new Uint8Array(32).fill(leaf),
      },
      state: new Float32Array(this.stateSizes[leaf] ?? 0).fill(100 * task.step + leaf),
      moments: new Float64Array(this.numMoments).fill(leaf),
    }));
  }

  recycle(values: Float32Array<ArrayBuffer>): void {
    this.recycled.push(values);
  }

  evaluate(task: EvaluateTask): ReturnType<Compute["evaluate"]> {
    this.evaluations.push(task);
    return Promise.resolve(
      task.leaves.map((leaf) => ({
        leaf,
        lossSum: leaf,
        lossWeight: 1,
        numSamples: 1,
        sampleDigest: new Uint8Array(32),
      })),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
