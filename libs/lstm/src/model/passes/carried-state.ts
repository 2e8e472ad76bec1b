/**
 * Carried state: the hidden and cell state of each layer between two segments of the same rows.
 *
 * One leaf's is a flat array laid out [layer][h, c][row][hiddenSize]; the model computes on all
 * leaves' rows at once, [rows, hiddenSize] a layer.
 */
import { reshape, tensor2d } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { sequenceRows } from "@ostinato/kernels/tensor";
import type { LstmSequence } from "@ostinato/kernels/tensor";

import type { BatchLeaf } from "../token-batch.js";

export interface LayerState {
  /** [B,H] */
  readonly hidden: Tensor2D;
  /** [B,H] */
  readonly cell: Tensor2D;
}

/** The leaves' carried states of one layer as one batch. */
export function joinStates(
  states: readonly Float32Array[],
  leaves: readonly BatchLeaf[],
  layer: number,
  numRows: number,
  hiddenSize: number,
): LayerState {
  const join = (part: 0 | 1): Tensor2D => {
    const joined = new Float32Array(numRows * hiddenSize);
    for (const [index, { firstRow, numRows: rowsOfLeaf }] of leaves.entries()) {
      const size = rowsOfLeaf * hiddenSize;
      const start = (2 * layer + part) * size;
      joined.set(states[index]!.subarray(start, start + size), firstRow * hiddenSize);
    }
    return tensor2d(joined, [numRows, hiddenSize]);
  };
  return { hidden: join(0), cell: join(1) };
}

/** One leaf's carried state after the last time step. */
export function stateOfLeaf(
  sequences: readonly LstmSequence[],
  { firstRow, numRows }: BatchLeaf,
): Float32Array {
  const hiddenSize = sequences[0]!.hidden.shape[2];
  const size = numRows * hiddenSize;
  const state = new Float32Array(2 * sequences.length * size);
  if (size === 0) return state;
  for (const [layer, { hidden, cell }] of sequences.entries()) {
    for (const [part, sequence] of [hidden, cell].entries()) {
      const last = sequence.shape[0] - 1;
      const rows = sequenceRows(sequence, { firstStep: last, numSteps: 1, firstRow, numRows });
      state.set(rows.dataSync<"float32">(), (2 * layer + part) * size);
    }
  }
  return state;
}

/** [N,C] → [N/B,B,C]. */
export function asSequence(rows: Tensor2D, numRows: number): Tensor3D {
  return reshape(rows, [rows.shape[0] / numRows, numRows, rows.shape[1]]);
}

/** [T,B,C] → [T·B,C]. */
export function asRows(sequence: Tensor3D): Tensor2D {
  const [numSteps, numRows, numColumns] = sequence.shape;
  return reshape(sequence, [numSteps * numRows, numColumns]);
}
