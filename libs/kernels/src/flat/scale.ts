import { compiledLoops } from "./compiled-loops.js";
import { requireAligned, requireRows } from "./lengths.js";

const { fround } = Math;

/**
 * `out = values · scale`, the scale rounded to float32 once and each product too.
 *
 * @param out as long as `values`; may be `values` itself
 * @throws {RangeError} for different lengths
 */
export function scaleValues(values: Float32Array, scale: number, out: Float32Array): void {
  requireAligned({ values, out });
  const factor = fround(scale);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    compiled.scaleValues(values, factor, out);
    return;
  }
  const { length } = values;
  for (let i = 0; i < length; i++) out[i] = values[i]! * factor;
}

/**
 * `values += scale · other`, the scale rounded to float32 once, each product and each sum too.
 *
 * @throws {RangeError} for different lengths
 */
export function addScaled(values: Float32Array, scale: number, other: Float32Array): void {
  requireAligned({ values, other });
  const factor = fround(scale);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    compiled.addScaled(values, factor, other);
    return;
  }
  const { length } = values;
  for (let i = 0; i < length; i++) values[i] = values[i]! + fround(factor * other[i]!);
}

/**
 * `out[r, c] = values[r, c] · scales[c]` of a row-major matrix.
 *
 * @param values [rows · columns]
 * @param scales [columns]; as many as the matrix has columns
 * @param out as long as `values`; may be `values` itself
 * @throws {RangeError} for different lengths, or values that are no whole number of rows
 */
export function scaleColumns(values: Float32Array, scales: Float32Array, out: Float32Array): void {
  requireAligned({ values, out });
  const { length: numColumns } = scales;
  requireRows(values.length, numColumns);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    compiled.scaleColumns(values, scales, out);
    return;
  }
  for (let first = 0; first < values.length; first += numColumns) {
    for (let c = 0; c < numColumns; c++) out[first + c] = values[first + c]! * scales[c]!;
  }
}

/**
 * `out = min(max(values, −limit), limit)`, the limit rounded to float32 once.
 *
 * @param limit 0 or more
 * @param out as long as `values`; may be `values` itself
 * @returns whether a value was beyond the limit
 * @throws {RangeError} for different lengths
 */
export function clampValues(values: Float32Array, limit: number, out: Float32Array): boolean {
  requireAligned({ values, out });
  const most = fround(limit);
  const compiled = compiledLoops();
  if (compiled !== undefined) return compiled.clampValues(values, most, out);
  const { length } = values;
  let isBeyond = false;
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    isBeyond ||= Math.abs(value) > most;
    out[i] = Math.min(Math.max(value, -most), most);
  }
  return isBeyond;
}
