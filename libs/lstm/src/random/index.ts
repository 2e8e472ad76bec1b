/**
 * Random numbers that follow from what they are for, never from what was drawn before: any worker
 * computes the same ones, in any order.
 *
 * @example
 * const mask = new Float32Array(hiddenSize);
 * fillDropoutMask({ seed, step, purpose: 'dropout', layer: 1, leaf, row }, 0.9, mask); // 0 or 1/0.9
 */
export { fillDropoutMask, fillUniform, uniform32 } from "./fill.js";
export { RANDOM_PURPOSES } from "./random-key.js";
export type { RandomKey, RandomPurpose } from "./random-key.js";
export { threefry2x32 } from "./threefry.js";
export type { Word64 } from "./threefry.js";
