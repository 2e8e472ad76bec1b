/** Config → data set, layouts, model: everything about a run that its config and data decide. */

import {
  createTextDataset,
  createTextLayout,
  encodeDataset,
  readTextFiles,
  UNKNOWN_ID,
} from "@ostinato/data";
import type { TextDataset, TextLayout } from "@ostinato/data";
import {
  compileLanguageModelSpec,
  createOptimizer,
  LstmError,
  parameterLayout,
  stateShape,
  statisticsLayout,
} from "@ostinato/lstm";
import type { LanguageModelSpec, ParameterLayout, StatisticsLayout } from "@ostinato/lstm";
import { RunError } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";

export interface RunData {
  readonly dataset: TextDataset;
  readonly encoded: Uint8Array;
  readonly model: LanguageModelSpec;
  readonly parameters: ParameterLayout;
  /** Of the running statistics; empty for a model without batch normalization. */
  readonly statistics: StatisticsLayout;
  /** Layout of the training part. */
  readonly train: TextLayout;
  /** Values of the carried state of a leaf. */
  readonly stateSizeOf: (leaf: number) => number;
  /** What a person should know of the text, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * @throws {DataError} for files that are missing, empty, not UTF-8 or too short
 * @throws {RunError} `outOfRange` for a part of the text that its fraction leaves too short, or a parameter
 *   group that has no tensor
 * @throws {LstmError} for a model that can't be
 */
export async function prepareRunData(config: RunConfig): Promise<RunData> {
  const { files, baseDirectory, validationFraction, testFraction } = config.data;
  const { text, notes } = await readTextFiles({ files, baseDirectory });
  const dataset = createTextDataset(text, { validationFraction, testFraction });
  const { batchSize, sequenceLength, microShards } = config.training;
  const train = createTextLayout({
    numTokens: dataset.splits.train.length,
    batchSize,
    sequenceLength,
    microShards,
    textName: "the training part",
  });
  for (const split of ["validation", "test"] as const) {
    // Fails now, not after an hour of training.
    requireTarget(config, dataset, split);
    createTextLayout({
      numTokens: dataset.splits[split].length,
      batchSize: config.evaluation.batchSize,
      sequenceLength,
      microShards,
      allowShort: true,
    });
  }
  const model = compileLanguageModelSpec({
    ...config.model,
    vocabularySize: dataset.vocabulary.size,
  });
  const { valuesPerRow } = stateShape(model);
  const parameters = parameterLayout(model);
  requireOptimizer(config, parameters);
  return {
    dataset,
    encoded: encodeDataset(dataset),
    model,
    parameters,
    statistics: statisticsLayout(model),
    train,
    stateSizeOf: (leaf) => valuesPerRow * train.rowsOf(leaf).numRows,
    notes: [...notes, ...unknownNotes(dataset)],
  };
}

/** The patterns of parameter groups must fit the model. */
function requireOptimizer({ optimizer }: RunConfig, layout: ParameterLayout): void {
  try {
    createOptimizer(optimizer, layout);
  } catch (error) {
    if (!(error instanceof LstmError)) throw error;
    throw new RunError("outOfRange", error.message, { cause: error });
  }
}

/** A part needs a character and the one after it. */
function requireTarget(
  config: RunConfig,
  { splits }: TextDataset,
  split: "validation" | "test",
): void {
  const { length } = splits[split];
  if (length >= 2) return;
  const key = `${split}Fraction` as const;
  const total = splits.train.length + splits.validation.length + splits.test.length;
  throw new RunError(
    "outOfRange",
    `data.${key}: ${config.data[key]} of the text's ${total} characters leaves ${length} for the ` +
      `${split} part; it needs at least 2`,
  );
}

function unknownNotes({ splits }: TextDataset): string[] {
  return (["validation", "test"] as const).flatMap((split) => {
    const unknown = splits[split].reduce((count, id) => count + (id === UNKNOWN_ID ? 1 : 0), 0);
    if (unknown === 0) return [];
    return [`${unknown} characters of the ${split} part are none that the training part has`];
  });
}

/** Names the samples of leaves as ranges of positions in the training part. */
export function describeSamples(
  data: RunData,
  epochStep: number,
  leaves: readonly number[],
): string {
  const batch = data.train.batch(data.dataset.splits.train, epochStep, leaves);
  const ranges: string[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    let count = 0;
    for (let time = 0; time < batch.numSteps; time++) {
      count += batch.weights[time * batch.numRows + row] ?? 0;
    }
    const first = batch.positions[row] ?? 0;
    if (count > 0) ranges.push(`${first}–${first + count - 1}`);
  }
  return `training positions ${ranges.join(", ")}`;
}
