import { createHash } from "node:crypto";

import { crc32 } from "./crc32.js";

/** CRC-32 (that of zlib) over the frames' CRC-32s, each as four little-endian bytes, in order. */
export function checksumOfFrames(crcs: readonly number[]): number {
  return crc32(littleEndian(crcs));
}

/** SHA-256, 32 bytes, over the frames' CRC-32s, each as four little-endian bytes, in order. */
export function digestOfFrames(crcs: readonly number[]): Uint8Array {
  return new Uint8Array(createHash("sha256").update(littleEndian(crcs)).digest());
}

function littleEndian(crcs: readonly number[]): Buffer {
  const bytes = Buffer.alloc(crcs.length * Uint32Array.BYTES_PER_ELEMENT);
  crcs.forEach((crc, index) => bytes.writeUInt32LE(crc, index * Uint32Array.BYTES_PER_ELEMENT));
  return bytes;
}
