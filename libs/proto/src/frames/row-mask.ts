/** One bit a row, the lowest of a byte first: whether a frame's payload has the row. */

const BITS = 8;

/** Bytes of a mask over so many rows. */
export function maskBytes(numRows: number): number {
  return Math.ceil(numRows / BITS);
}

export function hasRow(mask: Uint8Array, row: number): boolean {
  return ((mask[Math.floor(row / BITS)] ?? 0) & (1 << (row % BITS))) !== 0;
}

/**
 * How many rows the payload has.
 *
 * @param mask of `maskBytes(numRows)` bytes
 * @returns undefined for a mask with bits beyond its last row
 */
export function numRowsIn(mask: Uint8Array, numRows: number): number | undefined {
  let count = 0;
  for (const byte of mask) {
    for (let bits = byte; bits !== 0; bits &= bits - 1) count += 1;
  }
  for (let row = numRows; row < mask.byteLength * BITS; row++) {
    if (hasRow(mask, row)) return undefined;
  }
  return count;
}

const valueAt = (values: Int32Array, at: number): number => values[at] ?? 0;

/** The rows of a matrix that are zeros to the bit, -0 being none. */
export class RowScan {
  readonly rowValues: number;
  readonly numRows: number;
  /** Rows that are not zeros. */
  readonly numKept: number;
  readonly #isKept: Uint8Array;

  /** @param values [rows · rowValues], row-major */
  constructor(values: Float32Array, rowValues: number) {
    this.rowValues = rowValues;
    this.numRows = values.length / rowValues;
    this.#isKept = new Uint8Array(this.numRows);
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    let numKept = 0;
    for (let row = 0; row < this.numRows; row++) {
      const end = (row + 1) * rowValues;
      const lastFour = end - 3;
      let at = row * rowValues;
      // Four at a time: that is half of the time for rows of zeros, which are most of those that are read to their end.
      let any = 0;
      for (; any === 0 && at < lastFour; at += 4) {
        any =
          valueAt(bits, at) | valueAt(bits, at + 1) | valueAt(bits, at + 2) | valueAt(bits, at + 3);
      }
      for (; any === 0 && at < end; at++) any = valueAt(bits, at);
      if (any === 0) continue;
      this.#isKept[row] = 1;
      numKept += 1;
    }
    this.numKept = numKept;
  }

  /** The share of the rows that are not zeros. */
  get share(): number {
    return this.numKept / this.numRows;
  }

  isKept(row: number): boolean {
    return this.#isKept[row] === 1;
  }

  /** The mask over rows `first` to `end`, `end` not among them. */
  mask(first: number, end: number): Uint8Array {
    const mask = new Uint8Array(maskBytes(end - first));
    for (let row = first; row < end; row++) {
      if (!this.isKept(row)) continue;
      const place = row - first;
      const at = Math.floor(place / BITS);
      mask[at] = (mask[at] ?? 0) | (1 << (place % BITS));
    }
    return mask;
  }
}

/**
 * Looks for a matrix's rows of zeros.
 *
 * @param values [rows · rowValues], row-major
 * @param rowValues 0: they are no rows of a matrix
 * @returns undefined where the values are no matrix
 */
export function scanRows(values: Float32Array, rowValues: number): RowScan | undefined {
  if (rowValues === 0 || values.length === 0 || values.length % rowValues !== 0) return undefined;
  return new RowScan(values, rowValues);
}
