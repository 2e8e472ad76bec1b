import { createPairLayout, pairDigest } from "@ostinato/data";
import type { PairBatch, PairLayoutOptions } from "@ostinato/data";

import { sampleSplit } from "./sample-split.js";
import type { SplitLayout } from "./split-layout.js";

/** A part of some pairs. */
export function pairSplit(options: PairLayoutOptions): SplitLayout<PairBatch> {
  const layout = createPairLayout(options);
  const { numSamples, stepsPerEpoch, microShards } = layout;
  return sampleSplit({
    ...{ numSamples, stepsPerEpoch, microShards, noun: "pairs" },
    isSameEveryEpoch: options.randomWords === undefined,
    numbersOf: (place, leaf) => layout.pairsOf(place, leaf),
    lossWeightOf: (place, leaf) => layout.lossWeightOf(place, leaf),
    batch: (place, leaves) => layout.batch(place, leaves),
    digestOf: pairDigest,
  });
}
