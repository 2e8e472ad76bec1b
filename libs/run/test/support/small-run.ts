/** A run of two epochs over a short text, written as a coordinator writes it, with faults on request. */

import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createTextDataset, createTextLayout } from "@ostinato/data";
import type { SplitName, TextLayout } from "@ostinato/data";
import { compileLanguageModelSpec, parameterLayout } from "@ostinato/lstm";

import { parametersSha256, retention, writeCheckpoint } from "../../src/checkpoint/index.js";
import type { CheckpointContent } from "../../src/checkpoint/index.js";
import { compileConfig, trajectoryDigest } from "../../src/config/index.js";
import { decisionsOf } from "../../src/decisions/index.js";
import { createRunDirectory } from "../../src/directory/index.js";
import type { NewRunDirectory } from "../../src/directory/index.js";
import { LedgerWriter, readLedger } from "../../src/ledger/index.js";
import type { EvaluationRecord, LedgerRecord, StepRecord } from "../../src/ledger/index.js";
import type { StepDigest } from "../../src/verify/index.js";
import { claimantOf } from "./claimant.js";

// 480 characters; 288 to train with: 287 samples, rows of 57 and 58, 8 steps of 8 an epoch.
const TEXT = Array.from({ length: 480 }, (_, i) => "abcdefg\n"[(i * i + (i >> 3)) % 8]).join("");

export const CONFIG = {
  name: "small",
  data: { files: "text.txt", validationFraction: 0.2, testFraction: 0.2 },
  model: { embeddingSize: 2, hiddenSize: 3 },
  // Leaves 0 to 2 have a row each, leaf 3 has two.
  training: { epochs: 2, batchSize: 5, sequenceLength: 8, microShards: 4 },
  evaluation: { everySteps: 8, batchSize: 4 },
};

export const STEPS_PER_EPOCH = 8;
export const LAST_STEP = 2 * STEPS_PER_EPOCH;
export const PROFILE = { backend: "cpu", version: "1.0", digest: "0123" } as const;

const model = compileLanguageModelSpec({
  kind: "languageModel",
  cell: "lstm",
  vocabularySize: 9,
  embeddingSize: 2,
  hiddenSize: 3,
  numLayers: 1,
  dropout: 0,
  forgetBias: 1,
});
export const LAYOUT = parameterLayout(model);

/** Stands in for the digest over frames. */
export const stepDigest: StepDigest = ({ parameters, statistics }) =>
  createHash("sha256").update("frames").update(parameters).update(statistics).digest("hex");

/** This model normalizes nothing. */
const NO_STATISTICS = new Float64Array(0);

export const parametersAt = (step: number): Float32Array =>
  Float32Array.from({ length: LAYOUT.size }, (_, i) => Math.fround(Math.sin(i + step)));

export function contentAt(
  step: number,
  ledger: CheckpointContent["ledger"],
  run: Pick<CheckpointContent, "trajectory" | "data">,
  best: CheckpointContent["progress"]["best"] = null,
): CheckpointContent {
  const slot = (sign: number): Float32Array => parametersAt(step).map((value) => sign * value);
  return {
    job: "job-1",
    step,
    ...run,
    model,
    profile: PROFILE,
    ledger,
    parameters: parametersAt(step),
    layout: LAYOUT,
    optimizer: { stepCount: step, slots: { m: slot(-1), v: slot(2) } },
    statistics: NO_STATISTICS,
    states: new Map([
      [1, Float32Array.of(1, 2, 3, 4, 5, step)],
      [10, Float32Array.of(-1, 0, 1, 2, 3, step)],
    ]),
    progress: {
      evaluatedStep: best?.step ?? 0,
      best,
      learningRateFactor: 1,
      ...{ stop: null, plateau: null, earlyStopping: null, averaging: null },
    },
  };
}

export interface SmallRunOptions {
  /** Changes a record before it is written; undefined leaves it out, a list writes all of it. */
  readonly edit?: (record: LedgerRecord) => LedgerRecord | readonly LedgerRecord[] | undefined;
  /** The last step that is committed; the run has no end then. */
  readonly stopAfter?: number;
  /** After this step the coordinator was killed, and resumed from the checkpoint of the epoch before. */
  readonly resumeAfter?: number;
  /** Keys of the config beside those of {@link CONFIG}; an evaluation's loss is always the same. */
  readonly settings?: {
    readonly training?: object;
    readonly evaluation?: object;
    readonly optimizer?: object;
  };
  /** Of each step; 0.002 if left out. */
  readonly learningRate?: (step: number) => number;
  /** By step: what its optimizer has as the average, which is evaluated; it keeps none if left out. */
  readonly average?: (step: number) => Float32Array;
  /** The step at which early stopping ended the run. */
  readonly endsEarlyAt?: number;
}

export interface SmallRun {
  readonly run: NewRunDirectory;
  readonly path: string;
  readonly dataFile: string;
  readonly train: TextLayout;
  readonly tokens: Uint16Array;
}

/** Writes a run into `folder`; each of the checkpoints at the epochs' ends is kept. */
export async function writeSmallRun(
  folder: string,
  options: SmallRunOptions = {},
): Promise<SmallRun> {
  const { edit = (record: LedgerRecord) => record, resumeAfter, settings = {} } = options;
  const { learningRate = () => 0.002, endsEarlyAt, average } = options;
  const lastStep = endsEarlyAt ?? LAST_STEP;
  const { stopAfter = lastStep } = options;
  const dataFile = join(folder, "data", "text.txt");
  await mkdir(join(folder, "data"), { recursive: true });
  await writeFile(dataFile, TEXT);
  const raw = {
    ...CONFIG,
    training: { ...CONFIG.training, ...settings.training },
    evaluation: { ...CONFIG.evaluation, ...settings.evaluation },
    optimizer: { ...settings.optimizer },
  };
  const config = compileConfig(raw, "small.yaml", { directory: join(folder, "data") });
  const everySteps = config.evaluation.everySteps ?? LAST_STEP;
  const dataset = createTextDataset(TEXT, config.data);
  const { symbols } = dataset.vocabulary;
  const startedAt = new Date(0);
  const path = join(folder, "run");
  const claimant = claimantOf();
  const run = await createRunDirectory({ path, config, symbols, startedAt, claimant });
  const identity = { trajectory: trajectoryDigest(config), data: dataset.digest };
  const parameters = (step: number): string =>
    stepDigest({ parameters: parametersAt(step), statistics: NO_STATISTICS });

  const evaluated = (step: number): string =>
    average === undefined
      ? parameters(step)
      : stepDigest({ parameters: average(step), statistics: NO_STATISTICS });

  let writer = LedgerWriter.create(run.paths.ledger);
  let position = { head: "", offset: 0 };
  const append = (record: LedgerRecord): void => {
    for (const edited of [edit(record) ?? []].flat()) position = writer.append(edited);
  };

  const layoutOf = (split: SplitName, batchSize: number): TextLayout =>
    createTextLayout({
      numTokens: dataset.splits[split].length,
      batchSize,
      sequenceLength: 8,
      microShards: 4,
    });
  const train = layoutOf("train", 5);

  const determinism = "strict";
  append({
    ...{ type: "run", format: 1, job: "job-1", ...identity, model },
    ...{ parameters: parameters(0), determinism },
  });
  append({ type: "profile", ...PROFILE });
  const decisions = decisionsOf(config);
  let progress = decisions.initialState();
  for (let step = 1; step <= stopAfter; step++) {
    const record = stepRecordAt(step, train, dataset.splits.train, parameters(step));
    append({ ...record, learningRate: learningRate(step) });
    if (step === resumeAfter) {
      await writer.close();
      writer = await LedgerWriter.resume(run.paths.ledger, await readLedger(run.paths.ledger));
      const checkpointStep = Math.floor(step / everySteps) * everySteps;
      append({
        ...{ type: "resume", checkpointStep, ledgerStep: step, tornBytes: 0 },
        ...{ determinism, skipped: [] },
      });
    }
    if (step % everySteps !== 0) continue;
    const tokens = dataset.splits.validation;
    const evaluation = evaluationRecordAt(
      step,
      "validation",
      layoutOf("validation", 4),
      tokens,
      step === everySteps,
      evaluated(step),
    );
    append(evaluation);
    progress = decisions.afterEvaluation(progress, { step, loss: evaluation.loss ?? NaN }).state;
    const content = contentAt(step, position, identity);
    const slots = average === undefined ? content.optimizer.slots : { average: average(step) };
    await writeCheckpoint(
      run,
      { ...content, progress, optimizer: { stepCount: step, slots } },
      {
        beforeCommit: () => writer.sync(),
      },
    );
  }
  if (stopAfter === lastStep) {
    const test = layoutOf("test", 4);
    // With the best parameters, which are not the last ones.
    const digest = evaluated(everySteps);
    append(evaluationRecordAt(everySteps, "test", test, dataset.splits.test, false, digest));
    const sha256 = await parametersSha256(parametersAt(lastStep));
    const outcome = "completed";
    const stopReason = endsEarlyAt === undefined ? null : "earlyStopping";
    const { best } = progress;
    append({
      ...{ type: "end", outcome, step: lastStep, stopReason },
      parametersSha256: sha256,
      best,
    });
    const { head, offset } = position;
    await run.writeEnd({
      outcome,
      step: lastStep,
      parametersSha256: sha256,
      ledger: { head, offset },
    });
  }
  await writer.close();
  await retention(run, { written: stopAfter, keep: 3 });
  return { run, path, dataFile, train, tokens: dataset.splits.train };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function stepRecordAt(
  step: number,
  layout: TextLayout,
  tokens: Uint16Array,
  parameters: string,
): StepRecord {
  const epochStep = (step - 1) % STEPS_PER_EPOCH;
  const leaves = [0, 1, 2, 3].map((leaf) => {
    const { numSamples, digest } = layout.expectedLeaf(tokens, epochStep, leaf);
    const loss = numSamples * (2 + leaf / 7);
    return { leaf, samples: numSamples, weight: numSamples, loss, digest: hex(digest) };
  });
  return {
    type: "step",
    step,
    epoch: Math.floor((step - 1) / STEPS_PER_EPOCH),
    epochStep,
    ...sumsOf(leaves),
    learningRate: 0.002,
    gradientNorm: 0.5,
    clipped: false,
    skipped: null,
    parameters,
    nodes: [
      { first: 0, count: 2, worker: "worker-1", fence: step * 10 },
      { first: 2, count: 1, worker: "worker-2", fence: step * 10 + 1 },
      { first: 3, count: 1, worker: "worker-3", fence: step * 10 + 2 },
    ],
    leaves,
    lost: [],
  };
}

function evaluationRecordAt(
  step: number,
  split: SplitName,
  layout: TextLayout,
  tokens: Uint16Array,
  best: boolean,
  parameters: string,
): EvaluationRecord {
  const leaves = [0, 1, 2, 3].map((leaf) => {
    const hash = createHash("sha256");
    let samples = 0;
    for (let epochStep = 0; epochStep < layout.stepsPerEpoch; epochStep++) {
      const { numSamples, digest } = layout.expectedLeaf(tokens, epochStep, leaf);
      hash.update(digest);
      samples += numSamples;
    }
    const loss = samples * (1.5 + leaf / 3);
    return { leaf, samples, weight: samples, loss, digest: hash.digest("hex"), worker: "worker-1" };
  });
  return { type: "evaluation", step, split, ...sumsOf(leaves), best, parameters, leaves };
}

/** Sums in ascending order of the leaves, as a plain loop. */
export function sumsOf(
  leaves: readonly { samples: number; weight: number; loss: number | null }[],
): { samples: number; lossSum: number; lossWeight: number; loss: number } {
  let [samples, lossSum, lossWeight] = [0, 0, 0];
  for (const leaf of leaves) {
    samples += leaf.samples;
    lossSum += leaf.loss ?? 0;
    lossWeight += leaf.weight;
  }
  return { samples, lossSum, lossWeight, loss: lossSum / lossWeight };
}
