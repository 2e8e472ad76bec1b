import { concat, reshape, tensor1d, zeros } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { embeddingGather } from "@ostinato/kernels/tensor";

import type { BatchLeaf } from "../batch-leaves.js";
import { asRows, asSequence } from "./pass.js";
import type { Pass } from "./pass.js";

/** Where one row's positions lie among those of all rows. */
export interface PackedRow {
  readonly first: number;
  readonly count: number;
}

/**
 * The positions of rows of different lengths one after the other, in the order (row, time), without the
 * padding of a [T,B,C] tensor: what is computed from them cannot depend on it.
 */
export class PackedRows {
  readonly rows: readonly PackedRow[];
  /** N */
  readonly numPositions: number;
  readonly #numSteps: number;

  /** @param lengths [B], each from 0 to numSteps. */
  constructor(lengths: Int32Array, numSteps: number) {
    let first = 0;
    this.rows = Array.from(lengths, (count) => {
      const row = { first, count };
      first += count;
      return row;
    });
    this.numPositions = first;
    this.#numSteps = numSteps;
  }

  /** The pass over the positions, each of which is a row of a single time step. */
  pass(pass: Pass): Pass {
    const firstOf = (row: number): number => this.rows[row]?.first ?? this.numPositions;
    const leaves = pass.leaves.map(({ leaf, firstRow, numRows }): BatchLeaf => {
      const first = firstOf(firstRow);
      return { leaf, firstRow: first, numRows: firstOf(firstRow + numRows) - first };
    });
    return { ...pass, numRows: this.numPositions, leaves };
  }

  /** [T,B,C] → [N,C] */
  pack(sequence: Tensor3D): Tensor2D {
    const numRows = this.rows.length;
    const ids = new Int32Array(this.numPositions);
    for (const [row, { first, count }] of this.rows.entries()) {
      for (let t = 0; t < count; t++) ids[first + t] = t * numRows + row;
    }
    return embeddingGather(asRows(sequence), tensor1d(ids, "int32"));
  }

  /** What {@link pack} passes back: [N,C] → [T,B,C], zeros in the padding. */
  unpack(positions: Tensor2D): Tensor3D {
    const numRows = this.rows.length;
    const withZeros: Tensor2D = concat([positions, zeros([1, positions.shape[1]])], 0);
    const ids = new Int32Array(this.#numSteps * numRows).fill(this.numPositions);
    for (const [row, { first, count }] of this.rows.entries()) {
      for (let t = 0; t < count; t++) ids[t * numRows + row] = first + t;
    }
    return asSequence(embeddingGather(withZeros, tensor1d(ids, "int32")), numRows);
  }
}

/** [N,C] → [1,N,C], as the layers read positions. */
export function asOneStep(positions: Tensor2D): Tensor3D {
  return reshape(positions, [1, ...positions.shape]);
}
