/**
 * Which tokens of a text are the samples of which step and which leaf of the gradient tree.
 *
 * @example
 * ```ts
 * const layout = createTextLayout({ numTokens: 1000, batchSize: 8, sequenceLength: 16, microShards: 4 });
 * for (let epochStep = 0; epochStep < layout.stepsPerEpoch; epochStep++) {
 *   const batch = layout.batch(tokens, epochStep, [0, 1]);
 * }
 * ```
 *
 * @module
 */
export { MAX_PARTS, partStart } from "./part-start.js";
export { requireInteger } from "./require-integer.js";
export { shuffledOrder } from "./shuffled-order.js";
export { sampleDigest } from "./sample-digest.js";
export { createTextLayout } from "./text-layout.js";
export type { ExpectedLeaf, RowRange, TextLayout, TextLayoutOptions } from "./text-layout.js";
export type { LeafRows, TokenBatch } from "./token-batch.js";
