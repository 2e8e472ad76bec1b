import { reshape, tensor1d, tensor3d, tile, where, zerosLike } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { embeddingGather } from "@ostinato/kernels/tensor";

import { asRows, asSequence } from "./pass.js";

/**
 * Rows of different lengths in one time-major batch: row b's own steps are 0 to lengths[b] − 1, what
 * follows is padding. A recurrence runs over the padding too, from inputs of zero, but nothing reads
 * what it makes there and no gradient enters there, so that nothing is learnt from it.
 */
export class Padding {
  /** [B]: own steps of each row. */
  readonly lengths: Int32Array;
  readonly #numSteps: number;
  readonly #numRows: number;

  /** @param lengths [B], each from 1 to numSteps. */
  constructor(lengths: Int32Array, numSteps: number) {
    this.lengths = lengths;
    this.#numSteps = numSteps;
    this.#numRows = lengths.length;
  }

  /** The values with zeros in the padding; [T,B,C]. */
  mask(sequence: Tensor3D): Tensor3D {
    return this.#choose(sequence, (t, length) => t < length);
  }

  /** Each row's own steps from last to first, its padding where it was; [T,B,C]. Undoes itself. */
  reverse(sequence: Tensor3D): Tensor3D {
    const ids = new Int32Array(this.#numSteps * this.#numRows);
    for (let t = 0; t < this.#numSteps; t++) {
      for (let row = 0; row < this.#numRows; row++) {
        const length = this.lengths[row]!;
        ids[t * this.#numRows + row] = (t < length ? length - 1 - t : t) * this.#numRows + row;
      }
    }
    return asSequence(embeddingGather(asRows(sequence), tensor1d(ids, "int32")), this.#numRows);
  }

  /** Each row's values at its last step; [T,B,C] → [B,C]. */
  last(sequence: Tensor3D): Tensor2D {
    const ids = this.lengths.map((length, row) => (length - 1) * this.#numRows + row);
    return embeddingGather(asRows(sequence), tensor1d(ids, "int32"));
  }

  /** What {@link last} passes back: the gradient at each row's last step, zeros elsewhere; [T,B,C]. */
  atLast(gradient: Tensor2D): Tensor3D {
    const [numRows, numColumns] = gradient.shape;
    const oneStep: Tensor3D = reshape(gradient, [1, numRows, numColumns]);
    return this.#choose(tile(oneStep, [this.#numSteps, 1, 1]), (t, length) => t === length - 1);
  }

  /** Zero where `isChosen` is false: chosen, not multiplied, since what is left out may be no number. */
  #choose(sequence: Tensor3D, isChosen: (t: number, length: number) => boolean): Tensor3D {
    const [numSteps, numRows, numColumns] = sequence.shape;
    const chosen = new Uint8Array(numSteps * numRows * numColumns);
    for (let t = 0; t < numSteps; t++) {
      for (let row = 0; row < numRows; row++) {
        if (!isChosen(t, this.lengths[row]!)) continue;
        const start = (t * numRows + row) * numColumns;
        chosen.fill(1, start, start + numColumns);
      }
    }
    return where(tensor3d(chosen, sequence.shape, "bool"), sequence, zerosLike(sequence));
  }
}
