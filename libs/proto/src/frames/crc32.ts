import { crc32 as crc32OfZlib } from "node:zlib";

/** CRC-32 (that of zlib) of bytes after others, whose CRC-32 is `value`; 0 before any. */
export type Crc32 = (bytes: Uint8Array, value: number) => number;

let compute: Crc32 = crc32OfZlib;

/**
 * For this thread, from now on: CRC-32s by a quicker function with the same values, such as compiled code that this
 * package cannot know of. They are most of what a frame costs besides gRPC.
 *
 * @param quicker undefined where there is none: zlib's
 */
export function computeCrc32By(quicker: Crc32 | undefined): void {
  compute = quicker ?? crc32OfZlib;
}

/** CRC-32 (that of zlib) of bytes, after others whose CRC-32 is `value`. */
export function crc32(bytes: Uint8Array, value = 0): number {
  // zlib says 0 of no bytes where they have no address, whatever came before them.
  return bytes.byteLength === 0 ? value : compute(bytes, value);
}
