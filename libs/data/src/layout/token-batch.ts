/** The rows of a batch that belong to one leaf of the gradient tree. */
export interface LeafRows {
  readonly leaf: number;
  /** Index of the leaf's first row within the batch. */
  readonly firstRow: number;
  /** 0 for an empty leaf. */
  readonly numRows: number;
}

/**
 * One training or evaluation step of some leaves. The arrays are time-major: the entry of time step t
 * and row r is at `t * numRows + r`.
 */
export interface TokenBatch {
  /** Time steps, the same for every leaf of a step. */
  readonly numSteps: number;
  /** Rows of all leaves together. */
  readonly numRows: number;
  /** Token ids, [numSteps, numRows]; 0 where the weight is 0. */
  readonly inputs: Int32Array;
  /** The token ids that follow the inputs, [numSteps, numRows]; 0 where the weight is 0. */
  readonly targets: Int32Array;
  /** 1 for a sample, 0 where a row has ended, [numSteps, numRows]. */
  readonly weights: Float32Array;
  /** The position (sample id) of each row's first time step, [numRows]. */
  readonly positions: Uint32Array;
  /** The leaves in the order of their rows, which are contiguous. */
  readonly leaves: readonly LeafRows[];
}
