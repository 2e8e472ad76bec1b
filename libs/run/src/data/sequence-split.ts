import { createSequenceLayout, sequenceDigest } from "@ostinato/data";
import type { EpochPlace, SequenceBatch, SequenceLayoutOptions } from "@ostinato/data";
import { targetShare } from "@ostinato/lstm";
import type { SequenceModelSpec } from "@ostinato/lstm";

import type { LeafSamples, SplitLayout } from "./split-layout.js";

type LossSpec = SequenceModelSpec["loss"];

/** A part of some sequences: each is one sample, whatever it weighs. */
export function sequenceSplit(
  options: SequenceLayoutOptions,
  loss: LossSpec,
): SplitLayout<SequenceBatch> {
  const layout = createSequenceLayout(options);
  const { microShards, stepsPerEpoch, numSamples } = layout;
  const allLeaves = Array.from({ length: microShards }, (_, leaf) => leaf);
  // Asked for with every lease and upload of a step.
  let newest: { readonly key: string; readonly lossWeight: number } | undefined;
  const lossWeightAt = (place: EpochPlace): number => {
    const key = `${place.epoch} ${place.epochStep}`;
    if (newest?.key !== key) {
      const batch = layout.batch(place, allLeaves);
      const lossWeight = allLeaves.reduce((sum, leaf) => sum + lossWeightOf(batch, leaf, loss), 0);
      newest = { key, lossWeight };
    }
    return newest.lossWeight;
  };
  const samplesOf = (batch: SequenceBatch, leaf: number): LeafSamples => ({
    numSamples: rowsOf(batch, leaf).numRows,
    sampleDigest: sequenceDigest(batch, leaf),
  });
  return {
    numSamples,
    stepsPerEpoch,
    microShards,
    isSameEveryEpoch: options.randomWords === undefined,
    stateRowsOf: () => 0,
    lossWeightAt,
    batch: (place, leaves) => layout.batch(place, leaves),
    samplesOf,
    expectedLeaf(place, leaf) {
      const batch = layout.batch(place, [leaf]);
      return { ...samplesOf(batch, leaf), lossWeight: lossWeightOf(batch, leaf, loss) };
    },
    describe(place, leaves) {
      const numbers = Array.from(layout.batch(place, leaves).sequences, (index) => index + 1);
      return `training sequences ${numbers.join(", ")}`;
    },
  };
}

/** As the losses add it up: by time, then by row, in float64. */
function lossWeightOf(batch: SequenceBatch, leaf: number, loss: LossSpec): number {
  const { numRows: rowsOfBatch, weights, targets, targetLengths } = batch;
  const { firstRow, numRows } = rowsOf(batch, leaf);
  const numPositions = rowsOfBatch === 0 ? 0 : weights.length / rowsOfBatch;
  let lossWeight = 0;
  for (let t = 0; t < numPositions; t++) {
    for (let row = firstRow; row < firstRow + numRows; row++) {
      const position = t * rowsOfBatch + row;
      const weight = weights[position] ?? 0;
      if (weight === 0) continue;
      const share = targetLengths === undefined ? targetShare(loss, targets[position] ?? 0) : 1;
      lossWeight += weight * share;
    }
  }
  return lossWeight;
}

function rowsOf(
  { leaves }: SequenceBatch,
  leaf: number,
): { readonly firstRow: number; readonly numRows: number } {
  return leaves.find((entry) => entry.leaf === leaf) ?? { firstRow: 0, numRows: 0 };
}
