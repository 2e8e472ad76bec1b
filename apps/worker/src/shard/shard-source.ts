/** The data set laid out as a run lays it out: which arrays a lease's leaves stand for. */

import type { SplitName, TextLayout, TokenBatch } from "@ostinato/data";
import { createTextLayout, decodeDataset, SPLIT_NAMES } from "@ostinato/data";

import { WorkerError } from "../errors/index.js";
import type { RunSettings } from "./run-settings.js";

/** The batches of one split under one layout. */
export interface SplitBatches {
  readonly numSegments: number;
  /** Rows of a leaf, the same in every segment. */
  numRowsOf(leaf: number): number;
  /** The rows of some leaves (ascending) in one segment, side by side. */
  batch(segment: number, leaves: readonly number[]): TokenBatch;
}

/** A training step is one segment of `train`; an evaluation goes through all segments of its split. */
export interface ShardSource {
  readonly train: SplitBatches;
  /** @throws WorkerError `badLease` for a split that does not exist or has no target */
  evaluation(split: string): SplitBatches;
}

/** @throws DataError when the bytes are no data set, or too few for one training step */
export function createShardSource(encoded: Uint8Array, settings: RunSettings): ShardSource {
  const { splits } = decodeDataset(encoded);
  const { sequenceLength, microShards } = settings;
  const evaluations = new Map<SplitName, SplitBatches>();
  return {
    train: splitBatches(
      splits.train,
      createTextLayout({
        numTokens: splits.train.length,
        batchSize: settings.batchSize,
        sequenceLength,
        microShards,
      }),
    ),
    evaluation: (name) => {
      const split = SPLIT_NAMES.find((candidate) => candidate === name);
      if (split === undefined) {
        throw new WorkerError(
          "badLease",
          `there is no split "${name}"; there are ${SPLIT_NAMES.join(", ")}`,
        );
      }
      const numTokens = splits[split].length;
      if (numTokens < 2) {
        throw new WorkerError("badLease", `the split "${name}" has ${numTokens} tokens, no target`);
      }
      let batches = evaluations.get(split);
      if (batches === undefined) {
        const layout = createTextLayout({
          numTokens,
          batchSize: settings.evaluationBatchSize,
          sequenceLength,
          microShards,
          allowShort: true,
        });
        batches = splitBatches(splits[split], layout);
        evaluations.set(split, batches);
      }
      return batches;
    },
  };
}

function splitBatches(tokens: Uint16Array, layout: TextLayout): SplitBatches {
  return {
    numSegments: layout.stepsPerEpoch,
    numRowsOf: (leaf) => layout.rowsOf(leaf).numRows,
    batch: (segment, leaves) => layout.batch(tokens, segment, leaves),
  };
}
