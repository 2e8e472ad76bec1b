/**
 * What sequences and pairs share: samples of JSON Lines in three parts, each once an epoch in an order of
 * the epoch's own, their encoded entries and the digest of a leaf.
 *
 * @example
 * ```ts
 * await eachLine("pairs.jsonl", (line) => builder.add(parseObject(line, '{"source": …}')));
 * const order = new EpochOrder(splits.train, { batchSize: 16, microShards: 4, randomWords });
 * const { rows, leaves } = order.rowsOf({ epoch: 0, epochStep: 3 }, [0, 1]);
 * ```
 *
 * @module
 */
export { ENTRY_BYTES, EntryReader, isSize, littleEndian, writeEntries } from "./entries.js";
export { EpochOrder, largestOf } from "./epoch-order.js";
export type { ChosenRows, EpochOrderOptions, EpochPlace } from "./epoch-order.js";
export { GrowingArray } from "./growing-array.js";
export {
  eachLine,
  isFinite32,
  LineProblem,
  parsedLines,
  parseObject,
  requireKeys,
  shown,
  weightOf,
} from "./json-lines.js";
export { leafDigest } from "./leaf-digest.js";
export { MAX_IDS, MAX_SAMPLES, rangesOf, splitsOf } from "./sample-range.js";
export type { SampleRange } from "./sample-range.js";
