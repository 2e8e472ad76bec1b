/**
 * Carried state: the hidden and cell state of each layer between two segments of the same rows.
 *
 * One leaf's is a flat array laid out [layer][h, c][row][size]; the model computes on all leaves' rows
 * at once, [rows, size] a layer. Only an LSTM has a cell state.
 */
import { reshape, tensor2d } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import { sequenceRows } from "@ostinato/kernels/tensor";

import { cellSizes, stateShape } from "../../layout/index.js";
import type { RecurrentStackSpec } from "../../spec/index.js";
import type { BatchLeaf } from "../batch-leaves.js";
import type { LayerState } from "../layers/index.js";

/** Sizes of the parts of a row's state in one layer: h, and c where there is one. */
function partSizes(spec: RecurrentStackSpec): readonly number[] {
  const { outputSize, hiddenSize, hasCellState } = cellSizes(spec);
  return hasCellState ? [outputSize, hiddenSize] : [outputSize];
}

/** The carried states of a batch's leaves before their first segment, in their order: zeros. */
export function zeroStates(
  spec: RecurrentStackSpec,
  { leaves }: { readonly leaves: readonly BatchLeaf[] },
): readonly Float32Array[] {
  const { valuesPerRow } = stateShape(spec);
  return leaves.map(({ numRows }) => new Float32Array(numRows * valuesPerRow));
}

/** The leaves' carried states as one batch: of each layer. */
export function joinStates(
  spec: RecurrentStackSpec,
  states: readonly Float32Array[],
  leaves: readonly BatchLeaf[],
  numRows: number,
): LayerState[] {
  const sizes = partSizes(spec);
  const layerSize = sizes.reduce((sum, size) => sum + size, 0);
  return Array.from({ length: spec.numLayers }, (_, layer) => {
    let before = layer * layerSize;
    const parts = sizes.map((size): Tensor2D => {
      const joined = new Float32Array(numRows * size);
      for (const [index, { firstRow, numRows: rowsOfLeaf }] of leaves.entries()) {
        const start = before * rowsOfLeaf;
        joined.set(states[index]!.subarray(start, start + size * rowsOfLeaf), firstRow * size);
      }
      before += size;
      return tensor2d(joined, [numRows, size]);
    });
    return { hidden: parts[0]!, cell: parts[1] };
  });
}

/** One leaf's part of the layers' states. */
export function stateOfLeaf(
  states: readonly LayerState[],
  { firstRow, numRows }: BatchLeaf,
): Float32Array {
  if (numRows === 0) return new Float32Array(0);
  const parts = states
    .flatMap(({ hidden, cell }) => (cell === undefined ? [hidden] : [hidden, cell]))
    .map((part) => {
      const block = { firstStep: 0, numSteps: 1, firstRow, numRows };
      return sequenceRows(reshape(part, [1, ...part.shape]), block).dataSync<"float32">();
    });
  const state = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    state.set(part, offset);
    offset += part.length;
  }
  return state;
}
