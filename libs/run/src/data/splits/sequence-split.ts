import { createSequenceLayout, sequenceDigest } from "@ostinato/data";
import type { SequenceBatch, SequenceLayoutOptions } from "@ostinato/data";

import { sampleSplit } from "./sample-split.js";
import type { SplitLayout } from "./split-layout.js";

/**
 * A part of some sequences.
 *
 * @param weights [N] of the whole data set; see `sequenceWeights`. Asked for where it is needed: a worker
 *   needs none.
 */
export function sequenceSplit(
  options: SequenceLayoutOptions,
  weights: () => Float64Array,
): SplitLayout<SequenceBatch> {
  const layout = createSequenceLayout(options);
  const { numSamples, stepsPerEpoch, microShards } = layout;
  return sampleSplit({
    ...{ numSamples, stepsPerEpoch, microShards, noun: "sequences" },
    isSameEveryEpoch: options.randomWords === undefined,
    numbersOf: (place, leaf) => layout.sequencesOf(place, leaf),
    lossWeightOf: (place, leaf) =>
      layout
        .sequencesOf(place, leaf)
        .reduce((sum, sequence) => sum + (weights()[sequence] ?? 0), 0),
    batch: (place, leaves) => layout.batch(place, leaves),
    digestOf: sequenceDigest,
  });
}
