/**
 * Random numbers that follow from what they are for, never from what was drawn before: any worker
 * computes the same ones, in any order.
 *
 * @example
 * const mask = new Float32Array(hiddenSize);
 * fillDropoutMask({ seed, step, purpose: 'dropout', layer: 1, leaf, row }, 0.9, mask); // 0 or 1/0.9
 * fillNormal({ seed, step, purpose: 'gradientNoise', layer: 0 }, noise); // mean 0, variance 1
 */
export { fillDropoutMask, fillUniform, randomWords, uniform32 } from "./fill.js";
export { fillNormal, fillTruncatedNormal } from "./normal.js";
export type { RandomKey } from "./random-key.js";
