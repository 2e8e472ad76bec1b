import type { SplitName, TextDataset } from "@ostinato/data";
import { trainNGram } from "@ostinato/data";

import type { Baseline } from "../progress/index.js";

const ORDERS = [3, 4, 5] as const;

/** What counting alone achieves: n-gram models of the training part, on one of the parts. */
export function measureBaselines(dataset: TextDataset, split: SplitName): readonly Baseline[] {
  const { splits, vocabulary } = dataset;
  if (splits[split].length === 0) return [];
  return ORDERS.map((order) => {
    const model = trainNGram(splits.train, { order, vocabularySize: vocabulary.size });
    return { order, bitsPerSymbol: model.bitsPerSymbol(splits[split]) };
  });
}
