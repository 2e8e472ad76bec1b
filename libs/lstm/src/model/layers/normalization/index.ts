/**
 * Normalization of what a layer puts out.
 *
 * @example
 * const { outputs, backward } = layerNormalization(pass, inputs, "layers.0.norm"); // [T,B,C]
 */
export { batchNormalization } from "./batch-normalization.js";
export { LAYER_NORM_EPSILON, layerNormalization } from "./layer-normalization.js";
