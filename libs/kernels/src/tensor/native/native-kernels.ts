/** The kernels of the native backend: all of them are compiled. */
import { KERNEL_NAMES } from "../contract/index.js";
import type { KernelTable } from "../registered-kernel.js";
import {
  embeddingGather,
  embeddingGradient,
  embeddingGradients,
  layerNorm,
  layerNormGradient,
  linearGradient,
  linearGradients,
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  linearSoftmaxCrossEntropyGradients,
  matMulBias,
  sequenceRows,
} from "./positions/index.js";
import {
  gruSequenceBackward,
  gruSequenceForward,
  lstmSequenceBackward,
  lstmSequenceForward,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
  rnnSequenceBackward,
  rnnSequenceForward,
} from "./sequences/index.js";

export const NATIVE_KERNELS: KernelTable = {
  [KERNEL_NAMES.lstmSequenceForward]: lstmSequenceForward,
  [KERNEL_NAMES.lstmSequenceBackward]: lstmSequenceBackward,
  [KERNEL_NAMES.lstmVariantSequenceForward]: lstmVariantSequenceForward,
  [KERNEL_NAMES.lstmVariantSequenceBackward]: lstmVariantSequenceBackward,
  [KERNEL_NAMES.gruSequenceForward]: gruSequenceForward,
  [KERNEL_NAMES.gruSequenceBackward]: gruSequenceBackward,
  [KERNEL_NAMES.rnnSequenceForward]: rnnSequenceForward,
  [KERNEL_NAMES.rnnSequenceBackward]: rnnSequenceBackward,
  [KERNEL_NAMES.layerNorm]: layerNorm,
  [KERNEL_NAMES.layerNormGradient]: layerNormGradient,
  [KERNEL_NAMES.linearSoftmaxCrossEntropy]: linearSoftmaxCrossEntropy,
  [KERNEL_NAMES.linearSoftmaxCrossEntropyGradient]: linearSoftmaxCrossEntropyGradient,
  [KERNEL_NAMES.embeddingGather]: embeddingGather,
  [KERNEL_NAMES.embeddingGradient]: embeddingGradient,
  [KERNEL_NAMES.matMulBias]: matMulBias,
  [KERNEL_NAMES.linearGradient]: linearGradient,
  [KERNEL_NAMES.sequenceRows]: sequenceRows,
  [KERNEL_NAMES.linearGradients]: linearGradients,
  [KERNEL_NAMES.embeddingGradients]: embeddingGradients,
  [KERNEL_NAMES.linearSoftmaxCrossEntropyGradients]: linearSoftmaxCrossEntropyGradients,
};
