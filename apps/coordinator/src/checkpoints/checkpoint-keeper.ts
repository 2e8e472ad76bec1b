/** Writes checkpoints beside training, one at a time, and keeps the newest and the best. */

import { evaluatedParameters } from "@ostinato/lstm";
import type { DecisionState, OptimizerState } from "@ostinato/lstm";
import type { VersionValues } from "@ostinato/proto";
import type { Clock } from "@ostinato/runtime";
import type { LedgerPosition } from "../ledger/index.js";

/** A consistent picture of the run after `step`. Nothing of it may change until it is written. */
export interface CheckpointRequest extends VersionValues {
  readonly step: number;
  readonly optimizer: OptimizerState;
  readonly states: ReadonlyMap<number, Float32Array>;
  readonly progress: DecisionState;
  readonly position: LedgerPosition;
  /** The best validation loss so far: kept until a better one comes. */
  readonly isBest: boolean;
}

export interface EndSummary {
  readonly outcome: "completed";
  readonly step: number;
  readonly parametersSha256: string;
  readonly position: LedgerPosition;
}

/** A version, and the optimizer's state as of it. */
export type TrainedVersion = VersionValues & Pick<CheckpointRequest, "optimizer">;

/** The files of a run, as far as checkpoints go. */
export interface CheckpointStore {
  /** Durable when it resolves: files, then manifest, then the folder's name. */
  write(request: CheckpointRequest): Promise<void>;
  /** Removes all but the newest ones and the best. */
  retain(): Promise<void>;
  load(step: number): Promise<TrainedVersion>;
  writeEnd(end: EndSummary): Promise<void>;
}

export interface CheckpointKeeperModules {
  readonly clock: Clock;
  readonly store: CheckpointStore;
  readonly onWritten: (step: number, seconds: number) => void;
  readonly onFailed: (step: number, error: Error) => void;
  readonly onRetained: () => void;
  /** Old checkpoints could not be removed; the new one is whole. */
  readonly onRetainFailed: (error: Error) => void;
}

interface Waiting {
  readonly request: CheckpointRequest;
  readonly done: () => void;
}

export class CheckpointKeeper {
  readonly #modules: CheckpointKeeperModules;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #writtenAtMs: number | undefined;
  #failure: Error | undefined;
  /** The best one, if it could not be written: its parameters are needed at the end. */
  #unwrittenBest: CheckpointRequest | undefined;

  constructor(modules: CheckpointKeeperModules) {
    this.#modules = modules;
  }

  /** Since the newest checkpoint was complete; undefined before the first. */
  ageSeconds(): number | undefined {
    return this.#writtenAtMs === undefined
      ? undefined
      : (this.#modules.clock.now() - this.#writtenAtMs) / 1000;
  }

  /**
   * Takes the request over and calls `done` when its buffers are free. Where writing is slower
   * than the interval, a newer request replaces one that still waits, and a newer best an older one.
   */
  save(request: CheckpointRequest, done: () => void): void {
    const isReplaced = (waiting: Waiting): boolean => request.isBest || !waiting.request.isBest;
    for (const waiting of this.#waiting.filter(isReplaced)) waiting.done();
    this.#waiting = this.#waiting.filter((waiting) => !isReplaced(waiting));
    this.#waiting.push({ request, done });
    this.#writing ??= this.#writeAll();
  }

  /**
   * Resolves when nothing is being written.
   *
   * @throws the failure of the newest checkpoint, if it could not be written
   */
  async settled(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * What was evaluated after this step: see `evaluatedParameters`.
   *
   * @throws what the store throws if there is no such checkpoint
   */
  async loadEvaluated(step: number): Promise<VersionValues> {
    const best = this.#unwrittenBest;
    const found = best?.step === step ? best : await this.#modules.store.load(step);
    const { parameters, optimizer, statistics } = found;
    return { parameters: evaluatedParameters(parameters, optimizer), statistics };
  }

  async writeEnd(end: EndSummary): Promise<void> {
    await this.#modules.store.writeEnd(end);
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { request, done } = next;
      await this.#writeBestAgain();
      try {
        const isWritten = await this.#write(request);
        if (isWritten) await this.#retain();
        if (request.isBest) this.#unwrittenBest = isWritten ? undefined : copyOf(request);
      } finally {
        done();
      }
    }
    this.#writing = undefined;
  }

  /** True if the checkpoint is whole. Training goes on without it: the next one may succeed. */
  async #write(request: CheckpointRequest): Promise<boolean> {
    const { clock, store, onWritten, onFailed } = this.#modules;
    const startMs = clock.now();
    try {
      await store.write(request);
    } catch (error) {
      this.#failure = asError(error);
      onFailed(request.step, this.#failure);
      return false;
    }
    this.#failure = undefined;
    this.#writtenAtMs = clock.now();
    onWritten(request.step, (this.#writtenAtMs - startMs) / 1000);
    return true;
  }

  async #retain(): Promise<void> {
    const { store, onRetained, onRetainFailed } = this.#modules;
    await store.retain().then(onRetained, (error: unknown) => onRetainFailed(asError(error)));
  }

  /**
   * Before a newer one, so that latest.json ends up with the newer one; and nothing is removed on
   * account of it, as it is not the newest.
   */
  async #writeBestAgain(): Promise<void> {
    const best = this.#unwrittenBest;
    if (best !== undefined && (await this.#write(best))) this.#unwrittenBest = undefined;
  }
}

/** A picture of its own: buffers are in shared memory, which structuredClone would go on sharing. */
function copyOf(request: CheckpointRequest): CheckpointRequest {
  const { parameters, optimizer, states } = request;
  const slots = Object.entries(optimizer.slots).map(([name, values]) => [name, values.slice()]);
  return {
    ...request,
    parameters: parameters.slice(),
    optimizer: { ...optimizer, slots: Object.fromEntries(slots) as OptimizerState["slots"] },
    states: new Map([...states].map(([leaf, values]) => [leaf, values.slice()])),
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
