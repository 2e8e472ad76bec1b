import type { LeafRows } from "../layout/index.js";

/**
 * The sequences of some leaves in one step, side by side. Arrays are time-major; what follows a row's
 * own steps is padding, zeros.
 */
export interface SequenceBatch {
  /** T: the longest sequence of the whole step, whichever leaves are in the batch. */
  readonly numSteps: number;
  /** B: rows of all leaves together. */
  readonly numRows: number;
  /** [T,B,I] values or [T,B] ids. */
  readonly inputs: Float32Array | Int32Array;
  /** [B]; undefined where every sequence of the step has T steps. */
  readonly lengths: Int32Array | undefined;
  /** [T,B,K] values or [T,B] classes of every step, [B,K] or [B] of the last one; labels [B,S]. */
  readonly targets: Float32Array | Int32Array;
  /** [B], for label sequences. */
  readonly targetLengths: Int32Array | undefined;
  /** [T,B] for targets of every step, else [B]; 0 in the padding. */
  readonly weights: Float32Array;
  /** [B]: which sequence of the data set each row is. */
  readonly sequences: Uint32Array;
  /** The leaves in the order of their rows, which are contiguous. */
  readonly leaves: readonly LeafRows[];
}
