import { endianness } from "node:os";

import type { TensorFrame, TransferKind } from "../codec/index.js";
import { WireError } from "../errors/index.js";
import { MAX_FRAME_BYTES } from "../limits.js";
import { widen } from "./bfloat16.js";
import { bytesOf } from "./bytes-of.js";
import { crc32 } from "./crc32.js";
import { nameOf, shapeOfFrame, VALUE_BYTES } from "./frame-shape.js";
import { hasRow } from "./row-mask.js";

/** What is sent as float64. */
export type DoubleKind = "moments" | "statistics";

/** The values of a kind of transfer. */
export type ValuesOf<Kind extends TransferKind> = Kind extends DoubleKind
  ? Float64Array
  : Float32Array;

/**
 * Cuts values into frames of at most `MAX_FRAME_BYTES`, each of which has all of its values as they are.
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
    const payload = bytesOf(slice);
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

/** CRC-32 of what a frame carries: the mask, if there is one, and the payload. */
export function crcOfFrame({ payload, rows }: Pick<TensorFrame, "payload" | "rows">): number {
  return crc32(payload, rows === undefined ? 0 : crc32(rows.mask));
}

/** Bytes of a tensor that travel in a frame: those of its payload, and of its mask if there is one. */
export function bytesOfFrame({ payload, rows }: Pick<TensorFrame, "payload" | "rows">): number {
  return payload.byteLength + (rows?.mask.byteLength ?? 0);
}

/**
 * Checks a frame of any origin by itself: whole values, at most `MAX_FRAME_BYTES`, rows that fit their mask,
 * the right CRC.
 *
 * @throws {WireError} `frameTooLarge`, `frameSize` or `checksum`
 */
export function checkFrame(frame: TensorFrame): void {
  shapeOfFrame(frame);
  const actual = crcOfFrame(frame);
  if (actual !== frame.crc32) {
    throw new WireError(
      "checksum",
      `${nameOf(frame)} has CRC-32 ${hex(actual)}; its sender computed ${hex(frame.crc32)}`,
    );
  }
}

/**
 * Writes a frame's values to where they belong, those of rows that it leaves out too: `destination` is the
 * whole flat buffer. The frame is not checked again, beyond what keeps the values inside `destination`.
 *
 * @param destination of the values that the frame's kind has
 * @returns how many values it covers
 * @throws {WireError} `frameOutOfBounds`, `frameTooLarge`, `frameSize`, or `bigEndian` as `encodeFrames` does
 */
export function readFrameInto(
  frame: TensorFrame,
  destination: Float32Array | Float64Array,
): number {
  requireLittleEndian();
  const { firstValue, payload } = frame;
  const kindBytes = VALUE_BYTES[frame.transferKind];
  if (destination.BYTES_PER_ELEMENT !== kindBytes) {
    throw new RangeError(`${frame.transferKind} has values of ${kindBytes} bytes`);
  }
  const { numValues, valueBytes } = shapeOfFrame(frame);
  if (firstValue + numValues > destination.length) {
    throw new WireError(
      "frameOutOfBounds",
      `${nameOf(frame)} has values up to ${firstValue + numValues}; there are ${destination.length}`,
    );
  }
  const target = destination.subarray(firstValue, firstValue + numValues);
  const write = frame.valueFormat === "bfloat16" ? writeHalves : writeBytes;
  if (frame.rows === undefined) write(payload, target);
  else writeRows(frame.rows, { payload, valueBytes }, target, write);
  return numValues;
}

type Write = (payload: Uint8Array, target: Float32Array | Float64Array) => void;

/** Copied as bytes: a decoded payload begins anywhere, where no array of floats may. Or it was read to here. */
const writeBytes: Write = (payload, target) => {
  if (payload.buffer === target.buffer && payload.byteOffset === target.byteOffset) return;
  bytesOf(target).set(payload);
};

const writeHalves: Write = (payload, target) => {
  widen(payload, target as Float32Array);
};

/** Rows with a bit from the payload, the others as zeros; those that follow each other alike at once. */
function writeRows(
  { rowValues, numRows, mask }: NonNullable<TensorFrame["rows"]>,
  { payload, valueBytes }: { readonly payload: Uint8Array; readonly valueBytes: number },
  target: Float32Array | Float64Array,
  write: Write,
): void {
  let taken = 0;
  for (let row = 0; row < numRows;) {
    const isSent = hasRow(mask, row);
    let end = row + 1;
    while (end < numRows && hasRow(mask, end) === isSent) end++;
    const rows = target.subarray(row * rowValues, end * rowValues);
    if (isSent) {
      const numBytes = rows.length * valueBytes;
      write(payload.subarray(taken, taken + numBytes), rows);
      taken += numBytes;
    } else rows.fill(0);
    row = end;
  }
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
