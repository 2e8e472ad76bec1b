import type { EpochPlace } from "@ostinato/data";

import type { LeafSamples, SplitLayout } from "./split-layout.js";

/** What a part of some sequences or pairs is made of: each is one sample, whatever it weighs. */
export interface SamplePart<Batch> {
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  readonly isSameEveryEpoch: boolean;
  /** What the samples are, for a person. */
  readonly noun: string;
  /** Numbers (in the data set) of a leaf's samples. */
  readonly numbersOf: (place: EpochPlace, leaf: number) => Uint32Array;
  /** Sum of the loss weights of a leaf, in the order in which a model adds them. */
  readonly lossWeightOf: (place: EpochPlace, leaf: number) => number;
  readonly batch: (place: EpochPlace, leaves: readonly number[]) => Batch;
  readonly digestOf: (batch: Batch, leaf: number) => Uint8Array;
}

interface RowsOfLeaves {
  readonly leaves: readonly { readonly leaf: number; readonly numRows: number }[];
}

/** A part as it is trained on or evaluated; no state is carried from one step to the next. */
export function sampleSplit<Batch extends RowsOfLeaves>({
  noun,
  numbersOf,
  lossWeightOf,
  digestOf,
  ...part
}: SamplePart<Batch>): SplitLayout<Batch> {
  const samplesOf = (batch: Batch, leaf: number): LeafSamples => ({
    numSamples: batch.leaves.find((entry) => entry.leaf === leaf)?.numRows ?? 0,
    sampleDigest: digestOf(batch, leaf),
  });
  return {
    ...part,
    stateRowsOf: () => 0,
    lossWeightAt(place) {
      let lossWeight = 0;
      for (let leaf = 0; leaf < part.microShards; leaf++) lossWeight += lossWeightOf(place, leaf);
      return lossWeight;
    },
    samplesOf,
    expectedLeaf(place, leaf) {
      const batch = part.batch(place, [leaf]);
      return { ...samplesOf(batch, leaf), lossWeight: lossWeightOf(place, leaf) };
    },
    describe(place, leaves) {
      const numbers = leaves.flatMap((leaf) => Array.from(numbersOf(place, leaf), (n) => n + 1));
      return `training ${noun} ${numbers.join(", ")}`;
    },
  };
}
