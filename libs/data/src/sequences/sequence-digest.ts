import { createHash } from "node:crypto";

import { DataError } from "../data-error.js";
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
  const rows = batch.leaves.find((entry) => entry.leaf === leaf);
  if (rows === undefined) {
    const present = batch.leaves.map((entry) => entry.leaf).join(", ");
    throw new DataError("invalidLayout", `leaf ${leaf} is not in the batch; it has [${present}]`, {
      leaf,
    });
  }
  const hash = createHash("sha256");
  for (let row = rows.firstRow; row < rows.firstRow + rows.numRows; row++) {
    hash.update(rowBytes(batch, row));
  }
  return new Uint8Array(hash.digest());
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

type NumberArray = Uint32Array | Int32Array | Float32Array;

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

function littleEndian(parts: readonly NumberArray[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const part of parts) {
    const isFloat = part instanceof Float32Array;
    for (const value of part) {
      if (isFloat) view.setFloat32(offset, value, true);
      else view.setInt32(offset, value, true);
      offset += 4;
    }
  }
  return bytes;
}
