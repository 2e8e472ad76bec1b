import { requireEqualLengths } from "./lengths.js";

/**
 * `out = values × factor`, the factor rounded to float32 first.
 *
 * @param out as long as `values`; may be `values` itself
 * @throws {RangeError} for different lengths
 */
export function scaleInto(values: Float32Array, factor: number, out: Float32Array): void {
  requireEqualLengths({ values, out });
  const scale = Math.fround(factor);
  const { length } = values;
  for (let i = 0; i < length; i++) out[i] = values[i]! * scale;
}
