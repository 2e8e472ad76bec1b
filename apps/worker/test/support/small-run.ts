/** A run small enough for a test, with everything in it that can go wrong: uneven leaves, two layers. */

import { createTextDataset, encodeDataset } from "@ostinato/data";
import type { TextDataset } from "@ostinato/data";
import { compileLanguageModelSpec } from "@ostinato/lstm";
import type { LanguageModelSpec } from "@ostinato/lstm";

export interface SmallRun {
  readonly dataset: TextDataset;
  readonly encoded: Uint8Array;
  readonly spec: LanguageModelSpec;
  readonly settings: {
    readonly seed: number;
    readonly batchSize: number;
    readonly sequenceLength: number;
    readonly microShards: number;
    readonly evaluationBatchSize: number;
    readonly roundedLeaves: number | undefined;
  };
  readonly configJson: string;
}

/**
 * Seven rows over four leaves: 1, 2, 2 and 2 rows; over eight leaves one is empty.
 */
export function smallRun(
  o: {
    readonly numRepeats?: number;
    readonly dropout?: number;
    readonly hiddenSize?: number;
    readonly normalization?: "batch";
  } = {},
): SmallRun {
  const text = "the sea, the sea; call me what you will. ".repeat(o.numRepeats ?? 8);
  const dataset = createTextDataset(text, { validationFraction: 0.3, testFraction: 0.1 });
  const settings = {
    seed: 11,
    batchSize: 7,
    sequenceLength: 5,
    microShards: 4,
    evaluationBatchSize: 5,
    roundedLeaves: undefined,
  };
  const { evaluationBatchSize, seed, roundedLeaves: _, ...training } = settings;
  const numerics = { gradients: "float32", gradientLeaves: null };
  return {
    dataset,
    encoded: encodeDataset(dataset),
    spec: compileLanguageModelSpec({
      kind: "languageModel",
      vocabularySize: dataset.vocabulary.size,
      embeddingSize: 6,
      hiddenSize: o.hiddenSize ?? 8,
      numLayers: 2,
      dropout: o.dropout ?? 0.25,
      normalization: o.normalization ?? "none",
    }),
    settings,
    configJson: JSON.stringify({
      ...{ seed, training, numerics },
      evaluation: { batchSize: evaluationBatchSize },
    }),
  };
}
