import { compiledLoops } from "./compiled-loops.js";
import { requireAligned } from "./lengths.js";

/** What bfloat16 keeps of a float32: sign, exponent and the upper 7 bits of the fraction. */
const UPPER_HALF = 0xffff0000 | 0;
const LOWER_HALF = 0xffff;
const MAGNITUDE = 0x7fffffff;
const INFINITY_BITS = 0x7f800000;
const QUIET_BIT = 0x400000;

/**
 * `out = values`, each rounded to bfloat16 and kept as float32: to the nearest, halfway to the one whose last
 * bit is 0, as IEEE 754 rounds by default. Beyond the largest that is an infinity; subnormal values stay such,
 * zeros keep their sign, a NaN is a NaN.
 *
 * @param out as long as `values`; may be `values` itself
 * @throws {RangeError} for different lengths
 */
export function roundToBfloat16(values: Float32Array, out: Float32Array): void {
  requireAligned({ values, out });
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    compiled.roundToBfloat16(values, out);
    return;
  }
  const from = bitsOf(values);
  const to = bitsOf(out);
  const { length } = from;
  for (let i = 0; i < length; i++) {
    const bits = from[i]!;
    // Half a unit of what is left, less one where that has an even last bit: a carry is the rounding.
    const rounded = bits + 0x7fff + ((bits >>> 16) & 1);
    // A NaN must not become an infinity, where its fraction is in the lower half alone.
    to[i] = ((bits & MAGNITUDE) > INFINITY_BITS ? bits | QUIET_BIT : rounded) & UPPER_HALF;
  }
}

/** Index of the first value that is no bfloat16 as it stands, or -1. */
export function firstNotBfloat16(values: Float32Array): number {
  const bits = bitsOf(values);
  const { length } = bits;
  for (let i = 0; i < length; i++) if ((bits[i]! & LOWER_HALF) !== 0) return i;
  return -1;
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}
