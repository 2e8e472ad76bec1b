import type {
  Dataset,
  PairBatch,
  PairDataset,
  SequenceBatch,
  SequenceDataset,
  SplitName,
  TextDataset,
  TokenBatch,
} from "@ostinato/data";
import { randomWords } from "@ostinato/lstm";
import type { SequenceModelSpec } from "@ostinato/lstm";

import type { RunConfig } from "../config/index.js";
import type { RunModelSpec } from "./run-model.js";
import { pairSplit, sequenceSplit, sequenceWeights, textSplit } from "./splits/index.js";
import type { SplitLayout } from "./splits/index.js";

/** The keys of a run config that layouts depend on. */
export interface LayoutSettings {
  readonly seed: number;
  /** Rows of the global batch. */
  readonly batchSize: number;
  /** Time steps of a text's step; null for sequences and pairs, which stay whole. */
  readonly sequenceLength: number | null;
  readonly microShards: number;
  /** Rows of an evaluation; its segments are as long as the training's. */
  readonly evaluationBatchSize: number;
}

/** A data set as a run lays it out. */
export interface DataLayout<Batch = unknown> {
  readonly train: SplitLayout<Batch>;
  /** A part as it is evaluated, in its own order. @throws DataError 'textTooShort' */
  readonly evaluation: (split: SplitName) => SplitLayout<Batch>;
}

export function layoutSettings({
  seed,
  training: { batchSize, sequenceLength, microShards },
  evaluation,
}: Pick<RunConfig, "seed"> & {
  readonly training: Pick<RunConfig["training"], "batchSize" | "sequenceLength" | "microShards">;
  readonly evaluation: Pick<RunConfig["evaluation"], "batchSize">;
}): LayoutSettings {
  const evaluationBatchSize = evaluation.batchSize;
  return { seed, batchSize, sequenceLength, microShards, evaluationBatchSize };
}

/** @throws DataError 'textTooShort' | 'invalidLayout' */
export function layOut(
  dataset: Dataset,
  model: RunModelSpec,
  settings: LayoutSettings,
): DataLayout {
  if (dataset.kind === "text") return layOutText(dataset, settings);
  if (dataset.kind === "sequences" && model.kind === "sequenceModel")
    return layOutSequences(dataset, model, settings);
  if (dataset.kind === "pairs") return layOutPairs(dataset, settings);
  throw new RangeError(`a ${model.kind} is not trained on ${dataset.kind}`);
}

/** @throws DataError 'textTooShort' | 'invalidLayout' */
export function layOutText(
  { splits }: Pick<TextDataset, "splits">,
  { batchSize, evaluationBatchSize, microShards, sequenceLength }: LayoutSettings,
): DataLayout<TokenBatch> {
  if (sequenceLength === null) throw new RangeError("a text needs a sequenceLength");
  const sizes = { sequenceLength, microShards };
  return {
    train: textSplit(splits.train, { ...sizes, batchSize, textName: "the training part" }),
    evaluation: onceEach((split) =>
      textSplit(splits[split], { ...sizes, batchSize: evaluationBatchSize, allowShort: true }),
    ),
  };
}

/** @throws DataError 'invalidLayout' */
export function layOutSequences(
  dataset: SequenceDataset,
  { loss }: Pick<SequenceModelSpec, "loss">,
  { seed, batchSize, evaluationBatchSize, microShards }: LayoutSettings,
): DataLayout<SequenceBatch> {
  let ofSequences: Float64Array | undefined;
  const weights = (): Float64Array => (ofSequences ??= sequenceWeights(dataset, loss));
  return {
    train: sequenceSplit(
      {
        dataset,
        split: "train",
        batchSize,
        microShards,
        randomWords: orderWords(seed),
      },
      weights,
    ),
    evaluation: onceEach((split) =>
      sequenceSplit({ dataset, split, batchSize: evaluationBatchSize, microShards }, weights),
    ),
  };
}

/** @throws DataError 'invalidLayout' */
export function layOutPairs(
  dataset: PairDataset,
  { seed, batchSize, evaluationBatchSize, microShards }: LayoutSettings,
): DataLayout<PairBatch> {
  const randomWords = orderWords(seed);
  return {
    train: pairSplit({ dataset, split: "train", batchSize, microShards, randomWords }),
    evaluation: onceEach((split) =>
      pairSplit({ dataset, split, batchSize: evaluationBatchSize, microShards }),
    ),
  };
}

/** What the order of an epoch is drawn from. */
function orderWords(seed: number): (epoch: number, count: number) => Uint32Array {
  return (epoch, count) =>
    randomWords({ seed, step: epoch, purpose: "sampleOrder", layer: 0 }, count);
}

function onceEach<Value>(create: (split: SplitName) => Value): (split: SplitName) => Value {
  const created = new Map<SplitName, Value>();
  return (split) => {
    const value = created.get(split) ?? create(split);
    created.set(split, value);
    return value;
  };
}
