/**
 * Losses that compare each position by itself.
 *
 * @example
 * const loss = huber(1, { delta: 1 });
 * loss.gradient({ outputs, numRows, targets, weights, outputGradient });
 */
export { crossEntropy } from "./cross-entropy.js";
export { gaussian, quantile, studentT } from "./distributions.js";
export { binaryCrossEntropy, huber, meanAbsolute, meanSquared } from "./elementwise.js";
