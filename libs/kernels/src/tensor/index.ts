/**
 * `@ostinato/kernels/tensor`: the operations that take the time, on tfjs tensors, by backend.
 *
 * @example
 * await selectBackend('wasm');
 * const { hidden } = tidy(() =>
 *   lstmSequenceForward({ inputGates, recurrentKernel, initialHidden, initialCell }),
 * );
 */
export {
  BACKEND_NAMES,
  backendProperties,
  selectBackend,
  selectFastestBackend,
  selectThreads,
} from "./backends.js";
export type { BackendName, BackendProperties } from "./backends.js";
export { KernelError } from "./kernel-error.js";
export type { KernelErrorCode } from "./kernel-error.js";
export {
  embeddingGather,
  embeddingGradient,
  embeddingGradients,
  gruSequenceBackward,
  gruSequenceForward,
  layerNorm,
  layerNormGradient,
  linearGradient,
  linearGradients,
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  linearSoftmaxCrossEntropyGradients,
  lstmSequenceBackward,
  lstmSequenceForward,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
  matMulBias,
  rnnSequenceBackward,
  rnnSequenceForward,
  sequenceRows,
} from "./contract/index.js";
export type {
  GruSequence,
  GruSequenceBackwardInputs,
  GruSequenceForwardInputs,
  GruSequenceGradients,
  LayerNormGradientInputs,
  LayerNormInputs,
  LeafRows,
  LeafSpan,
  LeafSumsCall,
  LinearGradientsInputs,
  LinearSoftmaxCrossEntropyGradients,
  LinearSoftmaxCrossEntropyInputs,
  LinearSoftmaxLossGradients,
  LinearSoftmaxLossInputs,
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
  NormalizedRows,
  OnTimeSteps,
  RnnActivation,
  RnnSequence,
  RnnSequenceBackwardInputs,
  RnnSequenceForwardInputs,
  RnnSequenceGradients,
  SequenceBlock,
} from "./contract/index.js";
export { ENGINE_FUNCTIONS, numericsProfile } from "./profile/index.js";
export type { NumericsProfile } from "./profile/index.js";
export { matrixProductWork, memoryCopyWork } from "./speed/index.js";
export type { MatrixProductSizes, RepeatedWork } from "./speed/index.js";
export { joined, recycle, tensorInPlace, tensorOf } from "./tensor-values.js";
export { valuesOfLeaf } from "./values-of-leaf.js";
