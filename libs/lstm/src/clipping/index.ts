/**
 * Averaging and clipping of a summed gradient.
 *
 * @example
 * const clip = createClipping({ kind: 'globalNorm', maxNorm: 1 }, layout);
 * const { gradient, scale } = clip({ gradient: sum, parameters, lossWeight, norm, scratch });
 */
export { createClipping } from "./clip-gradient.js";
export type { Clipping, ClipRequest, ClipResult } from "./clip-gradient.js";
export { clippingSchema } from "./clipping-keys.js";
export type { ClippingSpec } from "./clipping-keys.js";
export { layerOf } from "./layer-norm.js";
