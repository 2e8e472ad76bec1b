import type { TensorFrame } from "../codec/index.js";
import { MAX_FRAME_BYTES, MAX_FRAME_ROWS, MAX_FRAME_VALUES } from "../limits.js";
import { areBfloat16, upperHalves } from "./bfloat16.js";
import { bytesOf } from "./bytes-of.js";
import { crc32 } from "./crc32.js";
import { BFLOAT16_BYTES, VALUE_BYTES } from "./frame-shape.js";
import { maskBytes, scanRows } from "./row-mask.js";
import type { RowScan } from "./row-mask.js";
import { crcOfFrame, encodeFrames } from "./tensor-frames.js";

/** A slice of a gradient, as it is to be sent. */
export interface GradientValues {
  readonly transfer: number;
  /** Place of `values[0]` in the flat buffer, in values. */
  readonly firstValue: number;
  readonly values: Float32Array;
  /** Values of a row where these are the rows of a matrix; 0: they are not. */
  readonly rowValues: number;
  /** `scanRows` of the same values, from somebody who has looked already. */
  readonly scan?: RowScan | undefined;
}

/** What a frame that leaves rows out has beside its mask, about. */
const ROWS_OVERHEAD_BYTES = 16;

/**
 * The frames of a gradient's slice in the smallest form that keeps every bit: rows of zeros are left out where
 * that is less than they are, and values that are bfloat16 all of them take two bytes.
 *
 * @returns the frames in order, none for no values; their payloads may be views on `values`, so that these
 *   must not change before the frames are sent
 * @throws {WireError} `bigEndian` on a machine whose floats are not little-endian
 */
export function encodeGradientFrames(gradient: GradientValues): TensorFrame[] {
  const { transfer, firstValue, values, rowValues } = gradient;
  const isNarrow = values.length > 0 && areBfloat16(values);
  const valueBytes = isNarrow ? BFLOAT16_BYTES : VALUE_BYTES.gradient;
  const scan =
    rowValues * valueBytes <= MAX_FRAME_BYTES
      ? (gradient.scan ?? scanRows(values, rowValues))
      : undefined;
  if (scan !== undefined) {
    const savedBytes = (scan.numRows - scan.numKept) * rowValues * valueBytes;
    if (savedBytes > maskBytes(scan.numRows) + ROWS_OVERHEAD_BYTES) {
      return rowFrames(gradient, scan, isNarrow);
    }
  }
  if (!isNarrow) return encodeFrames({ transfer, transferKind: "gradient", firstValue, values });
  const frames: TensorFrame[] = [];
  const maxValues = MAX_FRAME_BYTES / BFLOAT16_BYTES;
  for (let start = 0; start < values.length; start += maxValues) {
    const payload = bytesOf(upperHalves(values.subarray(start, start + maxValues)));
    frames.push({
      ...{ transfer, transferKind: "gradient", leaf: 0, firstValue: firstValue + start },
      ...{ payload, crc32: crc32(payload), valueFormat: "bfloat16" },
    });
  }
  return frames;
}

function rowFrames(gradient: GradientValues, scan: RowScan, isNarrow: boolean): TensorFrame[] {
  const frames: TensorFrame[] = [];
  for (let first = 0; first < scan.numRows;) {
    const end = endOfFrame(scan, first, isNarrow);
    frames.push(rowFrame(gradient, { scan, first, end, isNarrow }));
    first = end;
  }
  return frames;
}

/** As many rows as one frame may cover and carry, one at least. */
function endOfFrame(scan: RowScan, first: number, isNarrow: boolean): number {
  const { rowValues, numRows } = scan;
  const rowBytes = rowValues * (isNarrow ? BFLOAT16_BYTES : VALUE_BYTES.gradient);
  const most = Math.min(numRows - first, MAX_FRAME_ROWS, Math.floor(MAX_FRAME_VALUES / rowValues));
  let bytesLeft = MAX_FRAME_BYTES;
  for (let end = first; end < first + most; end++) {
    if (!scan.isKept(end)) continue;
    if (bytesLeft < rowBytes) return end;
    bytesLeft -= rowBytes;
  }
  return first + most;
}

function rowFrame(
  { transfer, firstValue, values }: GradientValues,
  {
    scan,
    first,
    end,
    isNarrow,
  }: {
    readonly scan: RowScan;
    readonly first: number;
    readonly end: number;
    readonly isNarrow: boolean;
  },
): TensorFrame {
  const { rowValues } = scan;
  const numRows = end - first;
  const kept: Float32Array[] = [];
  for (let row = first; row < end; row++) {
    if (scan.isKept(row)) kept.push(values.subarray(row * rowValues, (row + 1) * rowValues));
  }
  const sent = new Float32Array(kept.length * rowValues);
  for (const [n, row] of kept.entries()) sent.set(row, n * rowValues);
  const payload = bytesOf(isNarrow ? upperHalves(sent) : sent);
  const rows =
    kept.length === numRows ? undefined : { rowValues, numRows, mask: scan.mask(first, end) };
  return {
    ...{ transfer, transferKind: "gradient", leaf: 0 },
    firstValue: firstValue + first * rowValues,
    payload,
    crc32: crcOfFrame({ payload, rows }),
    ...(rows === undefined ? {} : { rows }),
    ...(isNarrow ? { valueFormat: "bfloat16" } : {}),
  };
}
