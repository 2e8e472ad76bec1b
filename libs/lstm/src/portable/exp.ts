import { powerOfTwo } from "./bits.js";
import { LN2_HIGH, LN2_LOW } from "./ln-2.js";
import { twoSum } from "./two-numbers.js";

/** 1/16!, 1/15!, …, 1/2!: the coefficients of r¹⁴, …, 1 in (exp(r) − 1 − r)/r². The factorials are exact. */
const COEFFICIENTS = Array.from({ length: 15 }, (_, i) => 1 / factorial(16 - i));

/** exp of what is above is infinite, of what is below −750 it is 0. */
const MAX_ARGUMENT = 710;
const MIN_ARGUMENT = -750;

/**
 * The exponential function in float64, within one unit in the last place, of sums and products in a
 * fixed order: ECMAScript leaves the bits of Math.exp to the engine; these are the same everywhere.
 */
export function exp(x: number): number {
  return expOfSum(x, 0);
}

/**
 * exp(high + low): high + low = n·ln 2 + r with |r| ≤ ½ ln 2, and the series of exp(r).
 *
 * @param low so small that `high + low === high`
 */
export function expOfSum(high: number, low: number): number {
  if (Number.isNaN(high)) return NaN;
  if (high > MAX_ARGUMENT) return Infinity;
  if (high < MIN_ARGUMENT) return 0;
  const n = Math.round(high / Math.LN2);
  // The first difference is exact: n·LN2_HIGH is, and it is close to `high`.
  const r = twoSum(high - n * LN2_HIGH, low - n * LN2_LOW);
  const series = COEFFICIENTS.reduce((sum, coefficient) => sum * r.high + coefficient, 0);
  const value = 1 + (r.high + (r.low + r.low * r.high + r.high * r.high * series));
  // In two factors, as 2^n may be infinite or subnormal where the result is neither.
  const half = Math.trunc(n / 2);
  return value * powerOfTwo(half) * powerOfTwo(n - half);
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
