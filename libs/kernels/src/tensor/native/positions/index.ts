/**
 * What the native backend computes position by position, compiled: products, losses, rows.
 *
 * @example
 * const [product] = matMulBias({ inputs: { rows, kernel, bias }, attrs: {}, backend });
 */
export {
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  linearSoftmaxCrossEntropyGradients,
} from "./linear-loss.js";
export { linearGradient, linearGradients, matMulBias } from "./linear.js";
export {
  embeddingGather,
  embeddingGradient,
  embeddingGradients,
  layerNorm,
  layerNormGradient,
  sequenceRows,
} from "./rows.js";
