/**
 * The kernels of the wasm backend: our own where plain tfjs ops are slow there, else the reference's.
 *
 * XNNPACK's product, sigmoid and softmax micro-kernels give a row the same bits for any number of
 * rows (each output adds up in ascending order of the inner index; tested for 1 to 70 rows), so none
 * needs padding. Products with the transpose flags do not go through XNNPACK: transpose first.
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { KERNEL_NAMES } from "../contract/index.js";
import type { SequenceBlock } from "../contract/index.js";
import { REFERENCE_KERNELS } from "../reference/index.js";
import type { KernelCall, KernelTable } from "../registered-kernel.js";
import { allocate, floats, integers } from "./wasm-heap.js";
import type { WasmBackend } from "./wasm-heap.js";
import { linearSoftmaxCrossEntropy, linearSoftmaxCrossEntropyGradient } from "./linear-loss.js";
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
import { layerNorm, layerNormGradient } from "./layer-norm.js";

/** GatherV2 of this backend computes each element's index by itself, fifty times slower than this. */
function embeddingGather({
  inputs,
  backend,
}: KernelCall<{ table: Tensor2D; ids: Tensor1D }, unknown, WasmBackend>): Tensor[] {
  const numColumns = inputs.table.shape[1];
  const rows = allocate(backend, [inputs.ids.size, numColumns]);
  const from = floats(backend, inputs.table);
  const to = floats(backend, rows);
  for (const [n, id] of integers(backend, inputs.ids).entries()) {
    to.set(from.subarray(id * numColumns, (id + 1) * numColumns), n * numColumns);
  }
  return [rows];
}

function embeddingGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<
  { ids: Tensor1D; gradient: Tensor2D },
  { vocabularySize: number },
  WasmBackend
>): Tensor[] {
  const [numPositions, embeddingSize] = inputs.gradient.shape;
  const table = allocate(backend, [attrs.vocabularySize, embeddingSize]);
  const sums = floats(backend, table).fill(0);
  const gradient = floats(backend, inputs.gradient);
  const ids = integers(backend, inputs.ids);
  for (let n = 0; n < numPositions; n++) {
    const [to, from] = [ids[n]! * embeddingSize, n * embeddingSize];
    for (let k = 0; k < embeddingSize; k++) sums[to + k] = sums[to + k]! + gradient[from + k]!;
  }
  return [table];
}

/** Without tf.slice, which copies the whole tensor to take a part of it on this backend. */
function sequenceRows({
  inputs,
  attrs,
  backend,
}: KernelCall<{ sequence: Tensor3D }, SequenceBlock, WasmBackend>): Tensor[] {
  const { firstStep, numSteps, firstRow, numRows } = attrs;
  const [, rowsPerStep, numColumns] = inputs.sequence.shape;
  const block = allocate(backend, [numSteps * numRows, numColumns]);
  const from = floats(backend, inputs.sequence);
  const to = floats(backend, block);
  const length = numRows * numColumns;
  for (let t = 0; t < numSteps; t++) {
    const start = ((firstStep + t) * rowsPerStep + firstRow) * numColumns;
    to.set(from.subarray(start, start + length), t * length);
  }
  return [block];
}

export const WASM_KERNELS: KernelTable = {
  ...REFERENCE_KERNELS,
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
  [KERNEL_NAMES.sequenceRows]: sequenceRows,
};
