/**
 * The kernel contract: the operations that take the time, by shape, whichever backend computes them.
 *
 * Each function checks shapes, then runs the kernel that the selected tfjs backend has registered
 * under its `Ostinato…` name, so a faster one can be registered per backend without a caller knowing.
 * What every registered kernel must hold:
 * - A row's result does not depend on the other rows of the batch, bit for bit.
 * - Outputs are new tensors, tracked by the caller's tidy scope; inputs are neither kept nor changed.
 * - `onTimeSteps` may throw: then nothing is left allocated.
 *
 * Letters: T time steps, B rows of the batch, H hidden size, P projected size, R size of the recurrent
 * state h (P with a projection, else H), G gates, N positions (any number of rows), C columns,
 * I inputs, O outputs, V vocabulary, E embedding size.
 */
export { embeddingGather, embeddingGradient } from "./embedding.js";
export { KERNEL_NAMES } from "./kernel-names.js";
export type { KernelName } from "./kernel-names.js";
export { layerNorm, layerNormGradient } from "./layer-norm.js";
export type { LayerNormGradientInputs, LayerNormInputs, NormalizedRows } from "./layer-norm.js";
export {
  embeddingGradients,
  linearGradients,
  linearSoftmaxCrossEntropyGradients,
} from "./leaf-sums.js";
export type {
  LeafRows,
  LeafSpan,
  LeafSumsCall,
  LinearGradientsInputs,
  LinearSoftmaxLossGradients,
  LinearSoftmaxLossInputs,
  SoftmaxLossAttributes,
} from "./leaf-sums.js";
export { linearGradient, matMulBias } from "./linear.js";
export { linearSoftmaxCrossEntropy, linearSoftmaxCrossEntropyGradient } from "./linear-loss.js";
export type {
  LabelSmoothing,
  LinearSoftmaxCrossEntropyGradients,
  LinearSoftmaxCrossEntropyInputs,
} from "./linear-loss.js";
export {
  gruSequenceBackward,
  gruSequenceForward,
  lstmSequenceBackward,
  lstmSequenceForward,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
  rnnSequenceBackward,
  rnnSequenceForward,
  TIME_STEPS_PER_REPORT,
} from "./sequences/index.js";
export type {
  GruSequence,
  GruSequenceBackwardInputs,
  GruSequenceForwardInputs,
  GruSequenceGradients,
  LstmLayerNorm,
  LstmSequence,
  LstmSequenceBackwardInputs,
  LstmSequenceForwardInputs,
  LstmSequenceGradients,
  LstmVariantGradients,
  LstmVariantOptions,
  LstmVariantSequence,
  LstmVariantSequenceBackwardInputs,
  LstmVariantSequenceForwardInputs,
  LstmZoneout,
  OnTimeSteps,
  RnnActivation,
  RnnSequence,
  RnnSequenceBackwardInputs,
  RnnSequenceForwardInputs,
  RnnSequenceGradients,
} from "./sequences/index.js";
export { sequenceRows } from "./sequence-rows.js";
export type { SequenceBlock } from "./sequence-rows.js";
