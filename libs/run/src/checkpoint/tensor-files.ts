/** The tensors of a checkpoint as files with their checksums: pure work, and much of it. */

import { createHash } from "node:crypto";

import type { NamedBytes } from "../storage/index.js";
import { encodeTensors } from "./content.js";
import type { CheckpointTensors, TensorFile } from "./content.js";

/** A file, and what the manifest names it by. */
export interface HashedFile extends NamedBytes {
  /** In hex. */
  readonly sha256: string;
}

/** The files of a checkpoint but for its manifest, in memory of their own. */
export function encodeTensorFiles(tensors: CheckpointTensors): readonly HashedFile[] {
  return hashed(encodeTensors(tensors));
}

/**
 * Encodes the checkpoints of one run, one after the other, into shared memory that it uses again: so a
 * thread that encodes hands files over without a copy, and no checkpoint allocates what the one before had.
 */
export class TensorFileEncoder {
  readonly #buffers = new Map<TensorFile, SharedArrayBuffer>();

  /** As `encodeTensorFiles` does; the files stay as they are until the next call. */
  encode(tensors: CheckpointTensors): readonly HashedFile[] {
    return hashed(encodeTensors(tensors, (numBytes, file) => this.#bytesFor(file, numBytes)));
  }

  #bytesFor(file: TensorFile, numBytes: number): Uint8Array {
    let buffer = this.#buffers.get(file);
    if (buffer === undefined || buffer.byteLength < numBytes) {
      buffer = new SharedArrayBuffer(numBytes);
      this.#buffers.set(file, buffer);
    }
    return new Uint8Array(buffer, 0, numBytes);
  }
}

function hashed(files: readonly NamedBytes[]): readonly HashedFile[] {
  return files.map(({ name, bytes }) => ({
    ...{ name, bytes },
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
}
