import { endianness } from "node:os";
import { crc32 } from "node:zlib";

import type { TensorFrame, TransferKind } from "../codec/index.js";
import { WireError } from "../errors/index.js";
import { MAX_FRAME_BYTES } from "../limits.js";

/** Bytes of a value, by what is sent. */
const VALUE_BYTES: Readonly<Record<TransferKind, number>> = {
  parameters: Float32Array.BYTES_PER_ELEMENT,
  gradient: Float32Array.BYTES_PER_ELEMENT,
  carriedState: Float32Array.BYTES_PER_ELEMENT,
  moments: Float64Array.BYTES_PER_ELEMENT,
  statistics: Float64Array.BYTES_PER_ELEMENT,
};

/** What is sent as float64. */
export type DoubleKind = "moments" | "statistics";

/** The values of a kind of transfer. */
export type ValuesOf<Kind extends TransferKind> = Kind extends DoubleKind
  ? Float64Array
  : Float32Array;

/**
 * Cuts values into frames of at most `MAX_FRAME_BYTES`.
 *
 * @param options.leaf the leaf of a carried state or of moments; 0 unless given
 * @param options.firstValue place of `values[0]` in the flat buffer, in values; 0 unless given
 * @returns the frames in order, none for no values; their payloads are views on `values`, so that
 *   these must not change before the frames are sent. A frame's CRC-32 is computed when it is first asked for:
 *   the first frame is on its way while those of the others are still to be computed
 * @throws {WireError} `bigEndian` on a machine whose floats are not little-endian
 */
export function encodeFrames<Kind extends TransferKind>(options: {
  readonly transfer: number;
  readonly transferKind: Kind;
  readonly leaf?: number;
  readonly firstValue?: number;
  readonly values: ValuesOf<Kind>;
}): TensorFrame[] {
  requireLittleEndian();
  const { transfer, transferKind, leaf = 0, firstValue = 0 } = options;
  const values: Float32Array | Float64Array = options.values;
  const maxValues = MAX_FRAME_BYTES / VALUE_BYTES[transferKind];
  const frames: TensorFrame[] = [];
  for (let start = 0; start < values.length; start += maxValues) {
    const slice = values.subarray(start, start + maxValues);
    const payload = new Uint8Array(slice.buffer, slice.byteOffset, slice.byteLength);
    let crc: number | undefined;
    frames.push({
      transfer,
      transferKind,
      leaf,
      firstValue: firstValue + start,
      payload,
      get crc32() {
        return (crc ??= crc32(payload));
      },
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
  const valueBytes = VALUE_BYTES[frame.transferKind];
  if (byteLength === 0 || byteLength % valueBytes !== 0) {
    throw new WireError(
      "frameSize",
      `${nameOf(frame)} has ${byteLength} bytes; it must have ${valueBytes} for each value, and one value at least`,
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
 * @param destination of the values that the frame's kind has
 * @returns how many values it has
 * @throws {WireError} `frameOutOfBounds`, `frameSize`, or `bigEndian` as `encodeFrames` does
 */
export function readFrameInto(
  frame: TensorFrame,
  destination: Float32Array | Float64Array,
): number {
  requireLittleEndian();
  const { firstValue, payload } = frame;
  const valueBytes = VALUE_BYTES[frame.transferKind];
  if (destination.BYTES_PER_ELEMENT !== valueBytes) {
    throw new RangeError(`${frame.transferKind} has values of ${valueBytes} bytes`);
  }
  const numValues = payload.byteLength / valueBytes;
  if (!Number.isInteger(numValues)) {
    throw new WireError("frameSize", `${nameOf(frame)} has ${payload.byteLength} bytes`);
  }
  if (firstValue + numValues > destination.length) {
    throw new WireError(
      "frameOutOfBounds",
      `${nameOf(frame)} has values up to ${firstValue + numValues}; there are ${destination.length}`,
    );
  }
  // Copied as bytes: a decoded payload begins anywhere, where no array of floats may.
  new Uint8Array(destination.buffer, destination.byteOffset, destination.byteLength).set(
    payload,
    firstValue * valueBytes,
  );
  return numValues;
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
