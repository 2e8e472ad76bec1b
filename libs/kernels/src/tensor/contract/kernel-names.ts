/** Names under which kernels are registered with `registerKernel`. */
export const KERNEL_NAMES = {
  lstmSequenceForward: "OstinatoLstmSequenceForward",
  lstmSequenceBackward: "OstinatoLstmSequenceBackward",
  linearSoftmaxCrossEntropy: "OstinatoLinearSoftmaxCrossEntropy",
  linearSoftmaxCrossEntropyGradient: "OstinatoLinearSoftmaxCrossEntropyGradient",
  embeddingGather: "OstinatoEmbeddingGather",
  embeddingGradient: "OstinatoEmbeddingGradient",
  matMulBias: "OstinatoMatMulBias",
  linearGradient: "OstinatoLinearGradient",
  sequenceRows: "OstinatoSequenceRows",
} as const;

export type KernelName = (typeof KERNEL_NAMES)[keyof typeof KERNEL_NAMES];
