/**
 * Averaging and clipping by the global norm, as one factor.
 *
 * @example
 * const { norm, scale } = globalNormClip({ sumOfSquares: sumOfSquares(gradient), lossWeight, maxNorm: 1 });
 */
export { globalNormClip } from "./global-norm.js";
export type { ClipRequest, ClipResult } from "./global-norm.js";
