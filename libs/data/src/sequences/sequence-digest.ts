import { leafDigest, littleEndian } from "../samples/index.js";
import type { SequenceBatch } from "./sequence-batch.js";

/**
 * SHA-256 of the sequences of one leaf, taken from the very arrays a step computes with.
 *
 * Hashed, per row in order, all little-endian: number of the sequence (uint32), its steps (uint32), its
 * target positions or labels (uint32); then per step its inputs; then its targets; then its weights,
 * one a target position or one for all. Values and weights are float32, ids int32. What lies in the
 * padding is not hashed. An empty leaf has the digest of no bytes.
 *
 * @throws DataError 'invalidLayout' if the batch has no such leaf
 */
export function sequenceDigest(batch: SequenceBatch, leaf: number): Uint8Array {
  return leafDigest(batch.leaves, leaf, (row) => rowBytes(batch, row));
}

function rowBytes(batch: SequenceBatch, row: number): Uint8Array {
  const { numSteps, numRows, inputs, targets, targetLengths, weights } = batch;
  const length = batch.lengths?.[row] ?? numSteps;
  const isEveryStep = targetLengths === undefined && weights.length === numSteps * numRows;
  const ofInputs = rowOf(inputs, numSteps, numRows, row, length);
  const numPositions = targetLengths?.[row] ?? (isEveryStep ? length : 1);
  const ofTargets =
    targetLengths === undefined
      ? rowOf(targets, isEveryStep ? numSteps : 1, numRows, row, numPositions)
      : labelsOf(targets, numRows, row, numPositions);
  const ofWeights = isEveryStep
    ? rowOf(weights, numSteps, numRows, row, length)
    : weights.subarray(row, row + 1);
  const numbers = Uint32Array.of(batch.sequences[row]!, length, numPositions);
  return littleEndian([numbers, ofInputs, ofTargets, ofWeights]);
}

/** The first `length` steps of one row of a [T,B,C] array: [length, C]. */
function rowOf(
  values: Float32Array | Int32Array,
  numSteps: number,
  numRows: number,
  row: number,
  length: number,
): Float32Array | Int32Array {
  const width = values.length / (numSteps * numRows);
  const own = values.slice(0, length * width);
  for (let t = 0; t < length; t++) {
    const start = (t * numRows + row) * width;
    own.set(values.subarray(start, start + width), t * width);
  }
  return own;
}

function labelsOf(
  labels: Float32Array | Int32Array,
  numRows: number,
  row: number,
  length: number,
): Float32Array | Int32Array {
  const start = row * (labels.length / numRows);
  return labels.subarray(start, start + length);
}
