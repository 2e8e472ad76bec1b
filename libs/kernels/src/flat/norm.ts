import { compiledLoops } from "./compiled-loops.js";
import { requireRows } from "./lengths.js";

/** Values a block. Part of the definition: other blocks give other bits. */
const BLOCK = 4096;

/**
 * Sum of the squares, in float64.
 *
 * The order of the additions is fixed. Blocks of 4096 values are summed each on its own and then in
 * ascending order. In a block, four lanes sum the values whose index is 0, 1, 2 and 3 modulo 4, each
 * in ascending order; the block's sum is (lane 0 + lane 1) + (lane 2 + lane 3). A square of a float32
 * is exact in float64, so that a fused multiply-add gives the same bits. The result is finite if and
 * only if every value is.
 */
export function sumOfSquares(values: Float32Array): number {
  const compiled = compiledLoops();
  if (compiled !== undefined) return compiled.sumOfSquares(values);
  let total = 0;
  for (let first = 0; first < values.length; first += BLOCK) {
    total += sumBlock(values, first, Math.min(first + BLOCK, values.length));
  }
  return total;
}

/** Four lanes, since each addition waits for the one before it in its lane. */
function sumBlock(values: Float32Array, first: number, end: number): number {
  let lane0 = 0;
  let lane1 = 0;
  let lane2 = 0;
  let lane3 = 0;
  const tail = first + ((end - first) & ~3);
  for (let i = first; i < tail; i += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    lane0 += a * a;
    lane1 += b * b;
    lane2 += c * c;
    lane3 += d * d;
  }
  if (tail < end) lane0 += values[tail]! * values[tail]!;
  if (tail + 1 < end) lane1 += values[tail + 1]! * values[tail + 1]!;
  if (tail + 2 < end) lane2 += values[tail + 2]! * values[tail + 2]!;
  return lane0 + lane1 + (lane2 + lane3);
}

/**
 * Of each column of a row-major matrix what {@link sumOfSquares} is of its values from the first row to
 * the last, to the bit.
 *
 * @param values [rows · columns]
 * @returns [columns]
 * @throws {RangeError} for values that are no whole number of rows
 */
export function columnSumsOfSquares(values: Float32Array, numColumns: number): Float64Array {
  requireRows(values.length, numColumns);
  const totals = new Float64Array(numColumns);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    compiled.columnSumsOfSquares(values, totals);
    return totals;
  }
  const lanes = new Float64Array(4 * numColumns);
  const numRows = values.length / numColumns;
  for (let first = 0; first < numRows; first += BLOCK) {
    lanes.fill(0);
    const end = Math.min(first + BLOCK, numRows);
    for (let row = first; row < end; row++) {
      const lane = ((row - first) & 3) * numColumns;
      const place = row * numColumns;
      for (let c = 0; c < numColumns; c++) {
        const value = values[place + c]!;
        lanes[lane + c]! += value * value;
      }
    }
    for (let c = 0; c < numColumns; c++) {
      const low = lanes[c]! + lanes[numColumns + c]!;
      totals[c]! += low + (lanes[2 * numColumns + c]! + lanes[3 * numColumns + c]!);
    }
  }
  return totals;
}
