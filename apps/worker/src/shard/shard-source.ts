/** The data set laid out as a run lays it out: which arrays a lease's leaves stand for. */

import type {
  PairBatch,
  PairDataset,
  SequenceBatch,
  SequenceDataset,
  TextDataset,
  TokenBatch,
} from "@ostinato/data";
import { SPLIT_NAMES } from "@ostinato/data";
import type { SequenceModelSpec } from "@ostinato/lstm";
import { layOutPairs, layOutSequences, layOutText } from "@ostinato/run";
import type { DataLayout, SplitLayout } from "@ostinato/run";

import { WorkerError } from "../errors/index.js";
import type { RunSettings } from "./run-settings.js";

/** A training step is one step of `train`; an evaluation goes through all steps of its split. */
export interface ShardSource<Batch> {
  readonly train: SplitLayout<Batch>;
  /** @throws WorkerError `badLease` for a split that does not exist or has no target */
  evaluation(split: string): SplitLayout<Batch>;
}

/** @throws DataError for too few tokens for one training step */
export function createTextSource(
  { splits }: Pick<TextDataset, "splits">,
  settings: RunSettings,
): ShardSource<TokenBatch> {
  const layout = layOutText({ splits }, settings);
  return sourceOf(layout, (split) => {
    const { length } = splits[split];
    if (length >= 2) return;
    throw new WorkerError("badLease", `the split "${split}" has ${length} tokens, no target`);
  });
}

export function createSequenceSource(
  dataset: SequenceDataset,
  model: Pick<SequenceModelSpec, "loss">,
  settings: RunSettings,
): ShardSource<SequenceBatch> {
  return sourceOf(layOutSequences(dataset, model, settings), () => undefined);
}

export function createPairSource(
  dataset: PairDataset,
  settings: RunSettings,
): ShardSource<PairBatch> {
  return sourceOf(layOutPairs(dataset, settings), () => undefined);
}

function sourceOf<Batch>(
  { train, evaluation }: DataLayout<Batch>,
  check: (split: (typeof SPLIT_NAMES)[number]) => void,
): ShardSource<Batch> {
  return {
    train,
    evaluation(name) {
      const split = SPLIT_NAMES.find((candidate) => candidate === name);
      if (split === undefined) {
        throw new WorkerError(
          "badLease",
          `there is no split "${name}"; there are ${SPLIT_NAMES.join(", ")}`,
        );
      }
      check(split);
      return evaluation(split);
    },
  };
}
