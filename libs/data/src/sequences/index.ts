/**
 * Sequences with targets, from JSON Lines to the batches of a step.
 *
 * @example
 * ```ts
 * const { dataset } = await readSequenceFiles({
 *   files: "readings/*.jsonl", // {"inputs": [[0.1, 2], [0.3, 1]], "targets": [0.2, 0.4]}
 *   baseDirectory: import.meta.dirname,
 *   validationFraction: 0.1,
 *   testFraction: 0.1,
 *   targets: { kind: "values", of: "everyStep", range: null },
 * });
 * const layout = createSequenceLayout({ dataset, split: "train", batchSize: 16, microShards: 4 });
 * const batch = layout.batch({ epoch: 0, epochStep: 0 }, [0, 1]);
 * ```
 *
 * @module
 */
export type { SequenceBatch } from "./sequence-batch.js";
export { decodeSequences, encodeSequences } from "./sequence-codec.js";
export type {
  SequenceDataset,
  SequenceInputsKind,
  SequenceSamples,
  SequenceTargetsKind,
} from "./sequence-dataset.js";
export { sequenceDigest } from "./sequence-digest.js";
export { readInputLines, readSequenceFiles } from "./sequence-files.js";
export type { ReadSequenceFilesOptions, SequenceFiles } from "./sequence-files.js";
export { createSequenceLayout } from "./sequence-layout.js";
export type { SequenceLayout, SequenceLayoutOptions } from "./sequence-layout.js";
export type { InputLine, TargetsForm } from "./sequence-line.js";
