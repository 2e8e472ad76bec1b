/** Config → data set, layouts, model: everything about a run that its config and data decide. */

import { encodeDataset, SPLIT_NAMES } from "@ostinato/data";
import type { Dataset, EpochPlace, SplitName, TextDataset } from "@ostinato/data";
import {
  checkInitialization,
  createOptimizer,
  LstmError,
  lossUnit,
  parameterLayout,
  stateShape,
  statisticsLayout,
} from "@ostinato/lstm";
import type { LossSpec, LossUnit, ParameterLayout, StatisticsLayout } from "@ostinato/lstm";
import { layOut, layoutSettings, modelOfData, readDataset, RunError } from "@ostinato/run";
import type { RunConfig, RunModelSpec, SplitLayout } from "@ostinato/run";

export interface RunData {
  readonly dataset: Dataset;
  readonly encoded: Uint8Array;
  readonly model: RunModelSpec;
  readonly parameters: ParameterLayout;
  /** Of the running statistics; empty for a model without batch normalization. */
  readonly statistics: StatisticsLayout;
  /** Layout of the training part. */
  readonly train: SplitLayout;
  /** Values of the carried state of a leaf. */
  readonly stateSizeOf: (leaf: number) => number;
  /** Sum of the loss weights of a part, as it is evaluated. */
  readonly evaluationWeight: (split: SplitName) => number;
  /** What a person should know of the data, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * @param configFile what the config was read from; messages about its keys begin with it
 * @throws {DataError} for files that are missing, empty, not UTF-8 or too short, or lines that are no
 *   samples
 * @throws {RunError} `outOfRange` for a part of the data that its fraction leaves too short or without a
 *   target that counts, keys of the model that do not fit the data, or a pattern of parameter groups or
 *   initializers that fits no tensor
 * @throws {LstmError} for a model that can't be
 */
export async function prepareRunData(config: RunConfig, configFile: string): Promise<RunData> {
  try {
    return await prepare(config);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    throw new RunError(error.code, `${configFile}: ${error.message}`, { cause: error });
  }
}

async function prepare(config: RunConfig): Promise<RunData> {
  const { dataset, notes } = await readDataset(config);
  const model = modelOfData(config, dataset);
  const { train, evaluation } = layOut(dataset, model, layoutSettings(config));
  for (const split of ["validation", "test"] as const) {
    // Fails now, not after an hour of training.
    if (dataset.kind === "text") requireTarget(config, dataset, split);
    evaluation(split);
  }
  const weights = new Map<SplitName, number>();
  const evaluationWeight = (split: SplitName): number => {
    const weight = weights.get(split) ?? overallWeight(evaluation(split));
    weights.set(split, weight);
    return weight;
  };
  for (const split of SPLIT_NAMES) requireWeight(split, evaluationWeight(split));
  requirePatterns(config, model);
  const valuesPerRow = model.kind === "languageModel" ? stateShape(model).valuesPerRow : 0;
  return {
    dataset,
    encoded: encodeDataset(dataset),
    model,
    parameters: parameterLayout(model),
    statistics: statisticsLayout(model),
    train,
    stateSizeOf: (leaf) => valuesPerRow * train.stateRowsOf(leaf),
    evaluationWeight,
    notes,
  };
}

function overallWeight(layout: SplitLayout): number {
  let weight = 0;
  for (let epochStep = 0; epochStep < layout.stepsPerEpoch; epochStep++) {
    weight += layout.lossWeightAt({ epoch: 0, epochStep });
  }
  return weight;
}

/** The patterns of parameter groups and initializers must fit the model. */
function requirePatterns({ optimizer }: RunConfig, model: RunModelSpec): void {
  try {
    checkInitialization(model);
    createOptimizer(optimizer, parameterLayout(model));
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

/** A step without a target that counts is one with nothing to learn; a part without one has no loss. */
function requireWeight(split: SplitName, weight: number): void {
  if (weight > 0) return;
  throw new RunError(
    "outOfRange",
    `data.files: no target of the ${split} part counts in the loss: each is the one of ` +
      "model.loss.ignoredIndex or of a class whose model.loss.classWeights is 0; a part needs one that " +
      "counts",
  );
}

/** What of a run is counted, and what its loss is. */
export interface RunMeasures {
  readonly samples: "positions" | "sequences" | "pairs";
  readonly loss: LossSpec["kind"];
  readonly lossUnit: LossUnit;
}

export function measuresOf({ dataset, model }: Pick<RunData, "dataset" | "model">): RunMeasures {
  const loss = model.kind === "sequenceModel" ? model.loss.kind : "crossEntropy";
  const samples = dataset.kind === "text" ? "positions" : dataset.kind;
  return { samples, loss, lossUnit: lossUnit(loss) };
}

/** Names the samples of leaves, for a person. */
export function describeSamples(
  data: Pick<RunData, "train">,
  place: EpochPlace,
  leaves: readonly number[],
): string {
  return data.train.describe(place, leaves);
}
