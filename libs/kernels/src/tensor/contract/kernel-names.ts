/** Names under which kernels are registered with `registerKernel`. */
export const KERNEL_NAMES = {
  lstmSequenceForward: "OstinatoLstmSequenceForward",
  lstmSequenceBackward: "OstinatoLstmSequenceBackward",
  lstmVariantSequenceForward: "OstinatoLstmVariantSequenceForward",
  lstmVariantSequenceBackward: "OstinatoLstmVariantSequenceBackward",
  gruSequenceForward: "OstinatoGruSequenceForward",
  gruSequenceBackward: "OstinatoGruSequenceBackward",
  rnnSequenceForward: "OstinatoRnnSequenceForward",
  rnnSequenceBackward: "OstinatoRnnSequenceBackward",
  layerNorm: "OstinatoLayerNorm",
  layerNormGradient: "OstinatoLayerNormGradient",
  linearSoftmaxCrossEntropy: "OstinatoLinearSoftmaxCrossEntropy",
  linearSoftmaxCrossEntropyGradient: "OstinatoLinearSoftmaxCrossEntropyGradient",
  embeddingGather: "OstinatoEmbeddingGather",
  embeddingGradient: "OstinatoEmbeddingGradient",
  matMulBias: "OstinatoMatMulBias",
  linearGradient: "OstinatoLinearGradient",
  sequenceRows: "OstinatoSequenceRows",
  linearGradients: "OstinatoLinearGradients",
  embeddingGradients: "OstinatoEmbeddingGradients",
  linearSoftmaxCrossEntropyGradients: "OstinatoLinearSoftmaxCrossEntropyGradients",
} as const;

export type KernelName = (typeof KERNEL_NAMES)[keyof typeof KERNEL_NAMES];
