import { createHash } from "node:crypto";

import { DataError } from "../data-error.js";
import type { TokenBatch } from "./token-batch.js";

const ROW_HEADER_BYTES = 8;
const SAMPLE_BYTES = 16;

/**
 * SHA-256 of the samples of one leaf, taken from the very arrays a step computes with: a slice that
 * was swapped, skipped, repeated or altered has another digest.
 *
 * Hashed, per row in order, all little-endian: first position (uint32) and number of samples (uint32),
 * then per sample in time order: time step (uint32), input (int32), target (int32), weight (float32).
 * A sample is an entry whose weight is not 0. An empty leaf has the digest of no bytes.
 *
 * @throws DataError 'invalidLayout' if the batch has no such leaf
 */
export function sampleDigest(batch: TokenBatch, leaf: number): Uint8Array {
  const rows = batch.leaves.find((entry) => entry.leaf === leaf);
  if (rows === undefined) {
    const present = batch.leaves.map((entry) => entry.leaf).join(", ");
    throw new DataError("invalidLayout", `leaf ${leaf} is not in the batch; it has [${present}]`, {
      leaf,
    });
  }
  const hash = createHash("sha256");
  const bytes = new Uint8Array(ROW_HEADER_BYTES + batch.numSteps * SAMPLE_BYTES);
  const view = new DataView(bytes.buffer);
  for (let row = rows.firstRow; row < rows.firstRow + rows.numRows; row++) {
    hash.update(bytes.subarray(0, writeRow(batch, row, view)));
  }
  return new Uint8Array(hash.digest());
}

/** Writes one row in the hashed form; returns its bytes. */
function writeRow(batch: TokenBatch, row: number, view: DataView): number {
  let offset = ROW_HEADER_BYTES;
  for (let time = 0; time < batch.numSteps; time++) {
    const entry = time * batch.numRows + row;
    const weight = batch.weights[entry]!;
    if (weight === 0) continue;
    view.setUint32(offset, time, true);
    view.setInt32(offset + 4, batch.inputs[entry]!, true);
    view.setInt32(offset + 8, batch.targets[entry]!, true);
    view.setFloat32(offset + 12, weight, true);
    offset += SAMPLE_BYTES;
  }
  view.setUint32(0, batch.positions[row]!, true);
  view.setUint32(4, (offset - ROW_HEADER_BYTES) / SAMPLE_BYTES, true);
  return offset;
}
