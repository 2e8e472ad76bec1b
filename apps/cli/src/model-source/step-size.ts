import type { Dataset, SampleRange } from "@ostinato/data";
import type { RunConfig, TaskConfig } from "@ostinato/run";

import { CliError } from "../errors/index.js";

/** Rows of a step, and time steps of the longest of them. */
export interface StepSize {
  readonly rows: number;
  /** Of an encoder–decoder, target tokens. */
  readonly steps: number;
  /** Source tokens of an encoder–decoder. */
  readonly sourceSteps?: number;
}

/** The steps of a task. */
export function taskStepSize({ data, training }: TaskConfig): StepSize {
  const rows = training.batchSize;
  switch (data.kind) {
    case "addingProblem":
      return { rows, steps: data.length };
    case "copyTask":
      return { rows, steps: data.delay + 2 * data.numSymbols };
    default:
      return data satisfies never;
  }
}

/**
 * The largest step of a run, over all of its workers.
 *
 * @param dataset asked for where the config does not say it: sequences are as long as they are
 * @throws CliError 'unusableModel' for data whose steps this does not know
 */
export async function runStepSize(
  { training, data }: RunConfig,
  dataset: () => Promise<Dataset>,
): Promise<StepSize> {
  const { batchSize, sequenceLength } = training;
  if (sequenceLength !== null) return { rows: batchSize, steps: sequenceLength };
  const found = await dataset();
  if (found.kind === "sequences") {
    const { count } = found.splits.train;
    const steps = longestOf(found.samples.lengths, found.splits.train);
    return { rows: Math.min(batchSize, count), steps };
  }
  if (found.kind === "pairs") {
    const { train } = found.splits;
    return {
      rows: Math.min(batchSize, train.count),
      steps: longestOf(found.target.lengths, train),
      sourceSteps: longestOf(found.source.lengths, train),
    };
  }
  throw new CliError("unusableModel", `data.kind: ${data.kind} needs a training.sequenceLength`);
}

function longestOf(lengths: Uint32Array, { first, count }: SampleRange): number {
  return lengths.subarray(first, first + count).reduce((a, b) => Math.max(a, b), 1);
}
