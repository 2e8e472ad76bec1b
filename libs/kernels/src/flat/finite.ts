import { compiledLoops } from "./compiled-loops.js";

/** Set in full for infinities and NaNs, and for nothing else. */
const EXPONENT_BITS = 0x7f800000;

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(values: Float32Array): number {
  const compiled = compiledLoops();
  if (compiled !== undefined) return compiled.firstNonFinite(values);
  // On the bits: integer compares need no conversion to float64.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const { length } = bits;
  for (let i = 0; i < length; i++) {
    if ((bits[i]! & EXPONENT_BITS) === EXPONENT_BITS) return i;
  }
  return -1;
}
