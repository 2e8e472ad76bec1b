import { endianness } from "node:os";
import { crc32 } from "node:zlib";

import type { TensorFrame, TransferKind } from "../codec/index.js";
import { WireError } from "../errors/index.js";
import { MAX_FRAME_BYTES } from "../limits.js";

const VALUE_BYTES = Float32Array.BYTES_PER_ELEMENT;
const MAX_FRAME_VALUES = MAX_FRAME_BYTES / VALUE_BYTES;

/**
 * Cuts values into frames of at most `MAX_FRAME_BYTES`.
 *
 * @param options.leaf the leaf of a carried state; 0 unless given
 * @param options.firstValue place of `values[0]` in the flat buffer, in values; 0 unless given
 * @returns the frames in order, none for no values; their payloads are views on `values`, so that
 *   these must not change before the frames are sent
 * @throws {WireError} `bigEndian` on a machine whose floats are not little-endian
 */
export function encodeFrames(options: {
  readonly transfer: number;
  readonly transferKind: TransferKind;
  readonly leaf?: number;
  readonly firstValue?: number;
  readonly values: Float32Array;
}): TensorFrame[] {
  requireLittleEndian();
  const { transfer, transferKind, leaf = 0, firstValue = 0, values } = options;
  const frames: TensorFrame[] = [];
  for (let start = 0; start < values.length; start += MAX_FRAME_VALUES) {
    const slice = values.subarray(start, start + MAX_FRAME_VALUES);
    const payload = new Uint8Array(slice.buffer, slice.byteOffset, slice.byteLength);
    frames.push({
      transfer,
      transferKind,
      leaf,
      firstValue: firstValue + start,
      payload,
      crc32: crc32(payload),
    });
  }
  return frames;
}

/**
 * Checks a frame of any origin by itself: whole values, at most `MAX_FRAME_BYTES`, the right CRC.
 *
 * @throws {WireError} `frameTooLarge`, `frameSize` or `checksum`
 */
export function checkFrame(frame: TensorFrame): void {
  const { byteLength } = frame.payload;
  if (byteLength > MAX_FRAME_BYTES) {
    throw new WireError(
      "frameTooLarge",
      `${nameOf(frame)} has ${byteLength} bytes; at most ${MAX_FRAME_BYTES} go`,
    );
  }
  if (byteLength === 0 || byteLength % VALUE_BYTES !== 0) {
    throw new WireError(
      "frameSize",
      `${nameOf(frame)} has ${byteLength} bytes; it must have ${VALUE_BYTES} for each value, and one value at least`,
    );
  }
  const actual = crc32(frame.payload);
  if (actual !== frame.crc32) {
    throw new WireError(
      "checksum",
      `${nameOf(frame)} has CRC-32 ${hex(actual)}; its sender computed ${hex(frame.crc32)}`,
    );
  }
}

/**
 * Copies a frame's values to where they belong: `destination` is the whole flat buffer. The frame
 * is not checked again, beyond what keeps the copy inside `destination`.
 *
 * @throws {WireError} `frameOutOfBounds`, `frameSize`, or `bigEndian` as `encodeFrames` does
 */
export function readFrameInto(frame: TensorFrame, destination: Float32Array): void {
  requireLittleEndian();
  const { firstValue, payload } = frame;
  const numValues = payload.byteLength / VALUE_BYTES;
  if (!Number.isInteger(numValues)) {
    throw new WireError("frameSize", `${nameOf(frame)} has ${payload.byteLength} bytes`);
  }
  if (firstValue + numValues > destination.length) {
    throw new WireError(
      "frameOutOfBounds",
      `${nameOf(frame)} has values up to ${firstValue + numValues}; there are ${destination.length}`,
    );
  }
  // Copied as bytes: a decoded payload begins anywhere, where no Float32Array may.
  new Uint8Array(destination.buffer, destination.byteOffset, destination.byteLength).set(
    payload,
    firstValue * VALUE_BYTES,
  );
}

function nameOf({ transfer, transferKind, firstValue }: TensorFrame): string {
  return `the ${transferKind} frame at value ${firstValue} of transfer ${transfer}`;
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, "0")}`;
}

function requireLittleEndian(): void {
  if (endianness() === "LE") return;
  throw new WireError(
    "bigEndian",
    "tensors travel as little-endian floats; this machine's are not",
  );
}
