import type { LeafRows } from "../layout/index.js";
import { leafDigest, littleEndian } from "../samples/index.js";

/** Tokens of different rows, side by side. */
export interface TokenRows {
  /** T: the longest of the whole step, whichever leaves are in the batch; may be 0 for targets. */
  readonly numSteps: number;
  /** [T,B], time-major; what follows a row's own tokens is padding, zeros. */
  readonly tokens: Int32Array;
  /** [B] */
  readonly lengths: Int32Array;
}

/** The pairs of some leaves in one step, side by side. */
export interface PairBatch {
  /** Time steps of both sides: the sources' tokens, then start and tokens of the targets. */
  readonly numSteps: number;
  /** B: rows of all leaves together. */
  readonly numRows: number;
  readonly source: TokenRows;
  /** Without start and end. */
  readonly target: TokenRows;
  /** [B], above 0. */
  readonly weights: Float32Array;
  /** [B]: which pair of the data set each row is. */
  readonly pairs: Uint32Array;
  /** The leaves in the order of their rows, which are contiguous. */
  readonly leaves: readonly LeafRows[];
}

/**
 * SHA-256 of the pairs of one leaf, taken from the very arrays a step computes with.
 *
 * Hashed, per row in order, all little-endian: number of the pair, tokens of the source, tokens of the
 * target (uint32 each); the ids of the source, then of the target (int32); its weight (float32). What lies
 * in the padding is not hashed. An empty leaf has the digest of no bytes.
 *
 * @throws DataError 'invalidLayout' if the batch has no such leaf
 */
export function pairDigest(batch: PairBatch, leaf: number): Uint8Array {
  const { source, target, weights, pairs } = batch;
  return leafDigest(batch.leaves, leaf, (row) =>
    littleEndian([
      Uint32Array.of(pairs[row]!, source.lengths[row]!, target.lengths[row]!),
      tokensOfRow(source, row),
      tokensOfRow(target, row),
      weights.subarray(row, row + 1),
    ]),
  );
}

function tokensOfRow({ tokens, lengths }: TokenRows, row: number): Int32Array {
  return Int32Array.from({ length: lengths[row]! }, (_, t) => tokens[t * lengths.length + row]!);
}
