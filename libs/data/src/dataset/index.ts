/**
 * A text as token ids in three parts, and its encoded form, whose digest names it everywhere.
 *
 * @example
 * ```ts
 * const dataset = createTextDataset(text, { validationFraction: 0.1, testFraction: 0.1 });
 * decodeDataset(encodeDataset(dataset)).digest === dataset.digest; // true
 * ```
 *
 * @module
 */
export { decodeDataset, encodeDataset, MAX_HEADER_BYTES } from "./dataset-codec.js";
export { digestOf } from "./dataset-codec.js";
export { beginEncoding, corrupt, decodeHeader, isRecord } from "./encoded-prefix.js";
export { SPLIT_NAMES } from "./text-dataset.js";
export type { SplitName, TextDataset } from "./text-dataset.js";
export { createTextDataset, requireFractions } from "./split-text.js";
export type { SplitFractions } from "./split-text.js";
