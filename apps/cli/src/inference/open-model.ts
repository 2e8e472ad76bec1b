/** A run directory → its best model, ready to compute. */

import type { PairVocabularies, Vocabulary } from "@ostinato/data";
import { BACKEND_NAMES, selectBackend, selectFastestBackend } from "@ostinato/kernels/tensor";
import { evaluatedParameters } from "@ostinato/lstm";
import {
  createEncoderDecoder,
  createLanguageModel,
  createSequenceModel,
} from "@ostinato/lstm/model";
import {
  loadCheckpoint,
  newestCheckpoint,
  openRunDirectory,
  readPointer,
  RunError,
} from "@ostinato/run";
import type { CheckpointContent, RunConfig, RunDirectory, RunModelSpec } from "@ostinato/run";

import { CliError } from "../errors/index.js";
import type { AnyModel } from "./model-kind.js";

export interface OpenModel {
  /** The caller disposes of it. */
  readonly model: AnyModel;
  /** Of a run of text; null for another one. */
  readonly vocabulary: Vocabulary | null;
  /** Of both sides, of a run of pairs; null for another one. */
  readonly pairVocabularies: PairVocabularies | null;
  readonly config: RunConfig;
  /** What the model was loaded from. */
  readonly checkpoint: CheckpointContent;
  /** SHA-256 (hex) of the data set that it was trained on. */
  readonly dataDigest: string;
  /** The step after which the parameters were as they are here. */
  readonly step: number;
  /** Checkpoints that were to be used before this one and are damaged, each with its reason. */
  readonly skipped: readonly SkippedCheckpoint[];
}

export interface SkippedCheckpoint {
  readonly name: string;
  readonly reason: string;
}

/**
 * Loads the best checkpoint of a run, finished or not; without a best one the newest that is whole. The
 * model is the one that the run evaluated: with the average, for an optimizer that keeps one, and the
 * running statistics of that step. The backend is the one that the run computed with.
 *
 * @param path of the run directory
 * @throws RunError 'notARun' | 'noCheckpoint', and what reading throws; KernelError; CliError
 *   'unknownBackend'
 */
export async function openModel(path: string): Promise<OpenModel> {
  const run = await openRunDirectory(path);
  const { checkpoint, skipped } = await chooseCheckpoint(run);
  await startBackend(checkpoint, run.config);
  const model = createModel(checkpoint.model);
  model.setParameters(evaluatedParameters(checkpoint.parameters, checkpoint.optimizer));
  model.setRunningStatistics(checkpoint.statistics);
  return {
    model,
    vocabulary: run.vocabulary,
    pairVocabularies: run.pairVocabularies,
    config: run.config,
    checkpoint,
    dataDigest: checkpoint.data,
    step: checkpoint.step,
    skipped,
  };
}

function createModel(spec: RunModelSpec): AnyModel {
  switch (spec.kind) {
    case "languageModel":
      return createLanguageModel(spec);
    case "sequenceModel":
      return createSequenceModel(spec);
    case "encoderDecoder":
      return createEncoderDecoder(spec);
    default:
      return spec satisfies never;
  }
}

interface ChosenCheckpoint {
  readonly checkpoint: CheckpointContent;
  readonly skipped: readonly SkippedCheckpoint[];
}

/** Retention may take the best checkpoint of a running run away between two reads: then the newest. */
async function chooseCheckpoint(run: RunDirectory): Promise<ChosenCheckpoint> {
  const damaged: SkippedCheckpoint[] = [];
  const best = await readPointer(run, "best");
  if (best !== undefined) {
    try {
      return { checkpoint: await loadCheckpoint(run, best.step), skipped: [] };
    } catch (error) {
      if (!(error instanceof RunError) || error.code !== "checkpointDamaged") throw error;
      damaged.push({ name: "the best checkpoint", reason: error.message });
    }
  }
  const { content, skipped } = await newestCheckpoint(run);
  damaged.push(...skipped.filter(({ name }) => damaged[0]?.reason.startsWith(name) !== true));
  if (content !== undefined) return { checkpoint: content, skipped: damaged };
  const [flaw] = damaged;
  const reason =
    flaw === undefined ? "the run has written none so far" : `${flaw.name}: ${flaw.reason}`;
  throw new RunError("noCheckpoint", `${run.paths.root}: no checkpoint can be used: ${reason}`);
}

async function startBackend(
  { profile }: CheckpointContent,
  { numerics }: RunConfig,
): Promise<void> {
  const wanted = profile?.backend ?? numerics.backend;
  // Nobody has computed anything yet, and the config leaves the choice.
  if (wanted === "auto") {
    await selectFastestBackend();
    return;
  }
  const found = BACKEND_NAMES.find((name) => name === wanted);
  if (found !== undefined) {
    await selectBackend(found);
    return;
  }
  throw new CliError(
    "unknownBackend",
    `the run computed with the backend ${wanted}; here there are ${BACKEND_NAMES.join(" and ")}`,
  );
}

/** What a person is told of checkpoints that were skipped, a line each. */
export function skippedText({ skipped, step }: Pick<OpenModel, "skipped" | "step">): string {
  return skipped
    .map(
      ({ name, reason }) =>
        `ostinato: ${name} is not used: ${reason}; this is the checkpoint of step ${step}\n`,
    )
    .join("");
}
