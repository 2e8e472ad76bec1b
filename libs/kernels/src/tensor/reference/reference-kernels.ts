/**
 * The `reference` kernels: composed of plain tfjs ops, for any tfjs backend. They are the definition
 * that a backend's own kernels are tested against.
 */
import { fused, gather, matMul, reshape, slice, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { gradientSums } from "../gradient-sums.js";
import { KERNEL_NAMES } from "../contract/index.js";
import type { SequenceBlock } from "../contract/index.js";
import { layerNorm, layerNormGradient } from "./layer-norm.js";
import { linearSoftmaxCrossEntropy, linearSoftmaxCrossEntropyGradient } from "./linear-loss.js";
import {
  embeddingGradients,
  linearGradients,
  linearSoftmaxCrossEntropyGradients,
} from "./leaf-sums.js";
import { oneHotRows } from "./one-hot.js";
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
import type { KernelCall, KernelTable } from "../registered-kernel.js";

function embeddingGather({ inputs }: KernelCall<{ table: Tensor2D; ids: Tensor1D }>): Tensor[] {
  return [gather(inputs.table, inputs.ids)];
}

function embeddingGradient({
  inputs,
  attrs,
}: KernelCall<{ ids: Tensor1D; gradient: Tensor2D }, { vocabularySize: number }>): Tensor[] {
  return tidy(() => {
    const oneHot_NV = oneHotRows(inputs.ids, attrs.vocabularySize);
    return [matMul(transpose(oneHot_NV), inputs.gradient)];
  });
}

function matMulBias({
  inputs,
}: KernelCall<{ rows: Tensor2D; kernel: Tensor2D; bias?: Tensor1D }>): Tensor[] {
  const { rows, kernel, bias } = inputs;
  return [bias === undefined ? matMul(rows, kernel) : fused.matMul({ a: rows, b: kernel, bias })];
}

function linearGradient({ inputs }: KernelCall<{ rows: Tensor2D; gradient: Tensor2D }>): Tensor[] {
  return gradientSums(inputs.rows, inputs.gradient);
}

function sequenceRows({
  inputs,
  attrs,
}: KernelCall<{ sequence: Tensor3D }, SequenceBlock>): Tensor[] {
  return tidy(() => {
    const { firstStep, numSteps, firstRow, numRows } = attrs;
    const numColumns = inputs.sequence.shape[2];
    const block = slice(inputs.sequence, [firstStep, firstRow, 0], [numSteps, numRows, numColumns]);
    return [reshape(block, [numSteps * numRows, numColumns])];
  });
}

export const REFERENCE_KERNELS: KernelTable = {
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
