/**
 * Source sequences with their target sequences, from JSON Lines to the batches of a step.
 *
 * @example
 * ```ts
 * const { dataset } = await readPairFiles({
 *   files: "dates/*.jsonl", // {"source": "3 May 2021", "target": "2021-05-03"}
 *   baseDirectory: import.meta.dirname,
 *   validationFraction: 0.1,
 *   testFraction: 0.1,
 * });
 * const layout = createPairLayout({ dataset, split: "train", batchSize: 16, microShards: 4 });
 * const batch = layout.batch({ epoch: 0, epochStep: 0 }, [0, 1]);
 * dataset.vocabularies.target.decode([7, 8]); // "20"
 * ```
 *
 * @module
 */
export { pairDigest } from "./pair-batch.js";
export type { PairBatch, TokenRows } from "./pair-batch.js";
export { decodePairs, encodePairs } from "./pair-codec.js";
export { END_ID, FIRST_IDS, firstPairs, SIDES, START_ID } from "./pair-dataset.js";
export type { PairDataset, PairIds, PairVocabularies, Side, SideSamples } from "./pair-dataset.js";
export { readPairFiles, readSourceLines } from "./pair-files.js";
export type { PairFiles, ReadPairFilesOptions } from "./pair-files.js";
export { createPairLayout } from "./pair-layout.js";
export type { PairLayout, PairLayoutOptions } from "./pair-layout.js";
