/** A run directory → its best model, ready to compute. */

import type { Vocabulary } from "@ostinato/data";
import { BACKEND_NAMES, selectBackend } from "@ostinato/kernels/tensor";
import type { BackendName } from "@ostinato/kernels/tensor";
import { createLanguageModel } from "@ostinato/lstm/model";
import type { LanguageModel } from "@ostinato/lstm/model";
import {
  loadCheckpoint,
  newestCheckpoint,
  openRunDirectory,
  readPointer,
  RunError,
} from "@ostinato/run";
import type { CheckpointContent, RunConfig, RunDirectory } from "@ostinato/run";

export interface OpenModel {
  /** The caller disposes of it. */
  readonly model: LanguageModel;
  readonly vocabulary: Vocabulary;
  readonly config: RunConfig;
  /** SHA-256 (hex) of the data set that it was trained on. */
  readonly dataDigest: string;
  /** The step after which the parameters were as they are here. */
  readonly step: number;
}

/**
 * Loads the best checkpoint of a run, finished or not; without a best one the newest that is whole. The
 * backend is the one that the run computed with.
 *
 * @param path of the run directory
 * @throws RunError 'notARun' | 'noCheckpoint', and what reading throws; KernelError
 */
export async function openModel(path: string): Promise<OpenModel> {
  const run = await openRunDirectory(path);
  const checkpoint = await chooseCheckpoint(run);
  await selectBackend(backendOf(checkpoint, run.config));
  const model = createLanguageModel(checkpoint.model);
  model.setParameters(checkpoint.parameters);
  return {
    model,
    vocabulary: run.vocabulary,
    config: run.config,
    dataDigest: checkpoint.data,
    step: checkpoint.step,
  };
}

/** Retention may take the best checkpoint of a running run away between two reads: then the newest. */
async function chooseCheckpoint(run: RunDirectory): Promise<CheckpointContent> {
  const best = await readPointer(run, "best");
  if (best !== undefined) {
    try {
      return await loadCheckpoint(run, best.step);
    } catch (error) {
      if (!(error instanceof RunError) || error.code !== "checkpointDamaged") throw error;
    }
  }
  const { content, skipped } = await newestCheckpoint(run);
  if (content !== undefined) return content;
  const [flaw] = skipped;
  const reason =
    flaw === undefined ? "the run has written none so far" : `${flaw.name}: ${flaw.reason}`;
  throw new RunError("noCheckpoint", `${run.paths.root}: no checkpoint can be used: ${reason}`);
}

function backendOf({ profile }: CheckpointContent, { numerics }: RunConfig): BackendName {
  const wanted = profile?.backend ?? numerics.backend;
  return BACKEND_NAMES.find((name) => name === wanted) ?? "wasm";
}
