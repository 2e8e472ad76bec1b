import { createSequenceLayout, sequenceDigest } from "@ostinato/data";
import type { EpochPlace, SequenceBatch, SequenceLayoutOptions } from "@ostinato/data";

import type { LeafSamples, SplitLayout } from "./split-layout.js";

/**
 * A part of some sequences: each is one sample, whatever it weighs.
 *
 * @param weights [N] of the whole data set; see `sequenceWeights`. Asked for where it is needed: a worker
 *   needs none.
 */
export function sequenceSplit(
  options: SequenceLayoutOptions,
  weights: () => Float64Array,
): SplitLayout<SequenceBatch> {
  const layout = createSequenceLayout(options);
  const { microShards, stepsPerEpoch, numSamples } = layout;
  const lossWeightOf = (place: EpochPlace, leaf: number): number =>
    layout.sequencesOf(place, leaf).reduce((sum, sequence) => sum + (weights()[sequence] ?? 0), 0);
  const samplesOf = (batch: SequenceBatch, leaf: number): LeafSamples => ({
    numSamples: batch.leaves.find((entry) => entry.leaf === leaf)?.numRows ?? 0,
    sampleDigest: sequenceDigest(batch, leaf),
  });
  return {
    numSamples,
    stepsPerEpoch,
    microShards,
    isSameEveryEpoch: options.randomWords === undefined,
    stateRowsOf: () => 0,
    lossWeightAt(place) {
      let lossWeight = 0;
      for (let leaf = 0; leaf < microShards; leaf++) lossWeight += lossWeightOf(place, leaf);
      return lossWeight;
    },
    batch: (place, leaves) => layout.batch(place, leaves),
    samplesOf,
    expectedLeaf(place, leaf) {
      const batch = layout.batch(place, [leaf]);
      return { ...samplesOf(batch, leaf), lossWeight: lossWeightOf(place, leaf) };
    },
    describe(place, leaves) {
      const numbers = leaves.flatMap((leaf) =>
        Array.from(layout.sequencesOf(place, leaf), (sequence) => sequence + 1),
      );
      return `training sequences ${numbers.join(", ")}`;
    },
  };
}
