/**
 * One part of a data set as it is trained on or evaluated, of whichever kind: steps, their leaves and what
 * these weigh.
 *
 * @example
 * ```ts
 * const split = pairSplit({ dataset, split: "train", batchSize: 32, microShards: 8, randomWords });
 * split.lossWeightAt({ epoch: 0, epochStep: 3 });
 * ```
 *
 * @module
 */
export { pairSplit } from "./pair-split.js";
export { sequenceSplit } from "./sequence-split.js";
export { sequenceWeights } from "./sequence-weights.js";
export type { ExpectedSamples, LeafSamples, SplitLayout } from "./split-layout.js";
export { textSplit } from "./text-split.js";
