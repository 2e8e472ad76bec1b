/** Layer normalization, embeddings and blocks of sequences. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import type { LeafSumsCall, SequenceBlock } from "../../contract/index.js";
import type { LayerNormGradientTensors, LayerNormTensors } from "../../reference/index.js";
import { nativeAddon } from "../addon.js";
import { oneLeaf, treeOf } from "../kernel-call.js";
import type { Call } from "../kernel-call.js";

export function layerNorm({
  inputs: { rows, gain, bias },
  attrs: { epsilon },
  backend,
}: Call<LayerNormTensors, { epsilon: number }>): Tensor[] {
  const [numRows, numColumns] = rows.shape;
  const outputs = backend.allocate(rows.shape);
  const normalized = backend.allocate(rows.shape);
  const inverseDeviations = backend.allocate([numRows]);
  nativeAddon().layerNorm({
    rows: backend.floats(rows),
    gain: backend.floatsIf(gain),
    bias: backend.floatsIf(bias),
    epsilon,
    numRows,
    numColumns,
    outputs: backend.floats(outputs),
    normalized: backend.floats(normalized),
    inverseDeviations: backend.floats(inverseDeviations),
  });
  return [outputs, normalized, inverseDeviations];
}

export function layerNormGradient({
  inputs: { gradient, normalized, inverseDeviations, gain },
  backend,
}: Call<LayerNormGradientTensors>): Tensor[] {
  const [numRows, numColumns] = gradient.shape;
  const rowGradient = backend.allocate(gradient.shape);
  nativeAddon().layerNormGradient({
    gradient: backend.floats(gradient),
    normalized: backend.floats(normalized),
    inverseDeviations: backend.floats(inverseDeviations),
    gain: backend.floatsIf(gain),
    numRows,
    numColumns,
    rowGradient: backend.floats(rowGradient),
  });
  return [rowGradient];
}

export function embeddingGather({
  inputs: { table, ids },
  backend,
}: Call<{ table: Tensor2D; ids: Tensor1D }>): Tensor[] {
  const [vocabularySize, embeddingSize] = table.shape;
  const rows = backend.allocate([ids.size, embeddingSize]);
  nativeAddon().embeddingGather({
    table: backend.floats(table),
    ids: backend.integers(ids),
    numPositions: ids.size,
    embeddingSize,
    vocabularySize,
    rows: backend.floats(rows),
  });
  return [rows];
}

export function embeddingGradient({
  inputs: { ids, gradient },
  attrs: { vocabularySize },
  backend,
}: Call<{ ids: Tensor1D; gradient: Tensor2D }, { vocabularySize: number }>): Tensor[] {
  const [numRows, embeddingSize] = gradient.shape;
  const table = backend.allocate([vocabularySize, embeddingSize]);
  const [leaves, nodes] = oneLeaf(numRows);
  nativeAddon().embeddingGradient({
    ids: backend.integers(ids),
    gradient: backend.floats(gradient),
    leaves,
    nodes,
    numSteps: 1,
    numRows,
    embeddingSize,
    vocabularySize,
    tableGradients: backend.floats(table),
  });
  return [table];
}

export function embeddingGradients({
  inputs: { ids, gradient },
  attrs,
  backend,
}: Call<
  { ids: Tensor1D; gradient: Tensor3D },
  LeafSumsCall & { readonly vocabularySize: number }
>): Tensor[] {
  const [numSteps, numRows, embeddingSize] = gradient.shape;
  const { vocabularySize } = attrs;
  const tables = backend.allocate([attrs.nodes.length, vocabularySize, embeddingSize]);
  const [leaves, nodes] = treeOf(attrs);
  nativeAddon().embeddingGradient({
    ids: backend.integers(ids),
    gradient: backend.floats(gradient),
    leaves,
    nodes,
    numSteps,
    numRows,
    embeddingSize,
    vocabularySize,
    tableGradients: backend.floats(tables),
  });
  return [tables];
}

export function sequenceRows({
  inputs: { sequence },
  attrs: { firstStep, numSteps, firstRow, numRows },
  backend,
}: Call<{ sequence: Tensor3D }, SequenceBlock>): Tensor[] {
  const [sequenceSteps, batchRows, numColumns] = sequence.shape;
  // One stretch of memory; of a small one a reader would keep all the rest as well.
  if (numRows === batchRows && 2 * numSteps > sequenceSteps) {
    return [
      backend.view(sequence, firstStep * numRows * numColumns, [numSteps * numRows, numColumns]),
    ];
  }
  const rows = backend.allocate([numSteps * numRows, numColumns]);
  nativeAddon().sequenceRows({
    sequence: backend.floats(sequence),
    sequenceSteps,
    batchRows,
    numColumns,
    firstStep,
    numSteps,
    firstRow,
    numRows,
    rows: backend.floats(rows),
  });
  return [rows];
}
