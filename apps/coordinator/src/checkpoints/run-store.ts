/** A run directory as the keeper's store. */

import type { ParameterLayout } from "@ostinato/lstm";
import type { NumericsProfile } from "@ostinato/proto";
import { loadCheckpoint, retention, writeCheckpoint } from "@ostinato/run";
import type { RunDirectory, RunModelSpec } from "@ostinato/run";
import type { CheckpointEncoder } from "./checkpoint-encoder.js";
import type {
  CheckpointRequest,
  CheckpointStore,
  EndSummary,
  TrainedVersion,
} from "./checkpoint-keeper.js";

export interface RunStoreOptions {
  readonly directory: RunDirectory;
  readonly job: string;
  readonly trajectory: string;
  readonly data: string;
  readonly model: RunModelSpec;
  readonly layout: ParameterLayout;
  /** How many of the newest stay. */
  readonly keep: number;
  readonly encoder: Pick<CheckpointEncoder, "encode">;
  readonly profile: () => NumericsProfile | undefined;
  /** The ledger reaches the disk before a manifest that refers to it gets its name. */
  readonly syncLedger: () => Promise<void>;
}

export class RunStore implements CheckpointStore {
  readonly #options: RunStoreOptions;
  #written = 0;
  #bestStep: number | undefined;

  constructor(options: RunStoreOptions) {
    this.#options = options;
  }

  async write(request: CheckpointRequest): Promise<void> {
    const { directory, job, trajectory, data, model, layout, encoder, profile, syncLedger } =
      this.#options;
    const { step, parameters, statistics, optimizer, states, progress, position } = request;
    this.#bestStep = progress.best?.step;
    await writeCheckpoint(
      directory,
      {
        job,
        trajectory,
        data,
        model,
        layout,
        profile: profile() ?? null,
        ledger: { head: position.head, offset: position.offset },
        step,
        parameters,
        statistics,
        optimizer,
        states,
        progress,
      },
      { beforeCommit: syncLedger, encode: (tensors) => encoder.encode(tensors) },
    );
    this.#written = Math.max(this.#written, step);
  }

  async retain(): Promise<void> {
    const { directory, keep } = this.#options;
    await retention(directory, { written: this.#written, keep, best: this.#bestStep });
  }

  async load(step: number): Promise<TrainedVersion> {
    const { directory, job, model } = this.#options;
    return loadCheckpoint(directory, step, { job, model });
  }

  async writeEnd(end: EndSummary): Promise<void> {
    const { outcome, step, parametersSha256, position } = end;
    await this.#options.directory.writeEnd({
      outcome,
      step,
      parametersSha256,
      ledger: { head: position.head, offset: position.offset },
    });
  }
}
