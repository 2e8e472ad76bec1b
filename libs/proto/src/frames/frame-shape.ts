import type { TensorFrame, TransferKind } from "../codec/index.js";
import { WireError } from "../errors/index.js";
import { MAX_FRAME_BYTES, MAX_FRAME_ROWS, MAX_FRAME_VALUES } from "../limits.js";
import { maskBytes, numRowsIn } from "./row-mask.js";

/** Bytes of a value, by what is sent. */
export const VALUE_BYTES: Readonly<Record<TransferKind, number>> = {
  parameters: Float32Array.BYTES_PER_ELEMENT,
  gradient: Float32Array.BYTES_PER_ELEMENT,
  carriedState: Float32Array.BYTES_PER_ELEMENT,
  moments: Float64Array.BYTES_PER_ELEMENT,
  statistics: Float64Array.BYTES_PER_ELEMENT,
};

export const BFLOAT16_BYTES = Uint16Array.BYTES_PER_ELEMENT;

/** What a frame's values are, whatever its form. */
export interface FrameShape {
  /** Bytes of a value in the payload. */
  readonly valueBytes: number;
  /** Values that the frame covers: those of the rows that it leaves out count. */
  readonly numValues: number;
}

/**
 * The shape of a frame of any origin. What its payload would become is known to be bounded before anything
 * of that size is allocated or written.
 *
 * @throws {WireError} `frameTooLarge`; `frameSize` for what does not fit together
 */
export function shapeOfFrame(frame: TensorFrame): FrameShape {
  const { payload, rows, transferKind, valueFormat } = frame;
  const { byteLength } = payload;
  if (byteLength > MAX_FRAME_BYTES) {
    throw new WireError(
      "frameTooLarge",
      `${nameOf(frame)} has ${byteLength} bytes; at most ${MAX_FRAME_BYTES} go`,
    );
  }
  if (transferKind !== "gradient" && (rows !== undefined || valueFormat !== undefined)) {
    throw new WireError("frameSize", `${nameOf(frame)} has the form of a gradient's`);
  }
  const valueBytes = valueFormat === "bfloat16" ? BFLOAT16_BYTES : VALUE_BYTES[transferKind];
  const numSent = byteLength / valueBytes;
  // Of a frame that leaves rows out there may be nothing left.
  const isSparse = rows !== undefined;
  if (!Number.isInteger(numSent) || (numSent === 0 && !isSparse)) {
    throw new WireError(
      "frameSize",
      `${nameOf(frame)} has ${byteLength} bytes; it must have ${valueBytes} for each value, and one value at least`,
    );
  }
  return { valueBytes, numValues: isSparse ? coveredBy(frame, rows, numSent) : numSent };
}

function coveredBy(
  frame: TensorFrame,
  { rowValues, numRows, mask }: NonNullable<TensorFrame["rows"]>,
  numSent: number,
): number {
  const numValues = numRows * rowValues;
  if (!(numRows <= MAX_FRAME_ROWS && numValues <= MAX_FRAME_VALUES)) {
    throw new WireError(
      "frameTooLarge",
      `${nameOf(frame)} covers ${numRows} rows of ${rowValues} values; at most ${MAX_FRAME_ROWS} rows ` +
        `and ${MAX_FRAME_VALUES} values go`,
    );
  }
  if (mask.byteLength !== maskBytes(numRows)) {
    throw new WireError(
      "frameSize",
      `${nameOf(frame)} has a mask of ${mask.byteLength} bytes for ${numRows} rows`,
    );
  }
  const numKept = numRowsIn(mask, numRows);
  if (numKept === undefined) {
    throw new WireError("frameSize", `${nameOf(frame)} has a mask with bits beyond its rows`);
  }
  if (numValues === 0 || numKept * rowValues !== numSent) {
    throw new WireError(
      "frameSize",
      `${nameOf(frame)} has ${numSent} values for ${numKept} rows of ${rowValues}`,
    );
  }
  return numValues;
}

/** Such as `the gradient frame at value 40 of transfer 1`. */
export function nameOf({ transfer, transferKind, firstValue }: TensorFrame): string {
  return `the ${transferKind} frame at value ${firstValue} of transfer ${transfer}`;
}
