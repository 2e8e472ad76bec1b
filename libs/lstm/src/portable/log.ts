import { mantissaAndExponent } from "./bits.js";
import { LN2_HIGH, LN2_LOW } from "./ln-2.js";
import { twoProduct, twoSum } from "./two-numbers.js";
import type { HighLow } from "./two-numbers.js";

/** 1/25, 1/23, …, 1/3: the coefficients of s²⁴, …, s² in artanh(s)/s − 1. */
const ARTANH = [25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3].map((odd) => 1 / odd);

/**
 * The natural logarithm in float64, within one unit in the last place, of sums, products and
 * divisions in a fixed order: ECMAScript leaves the bits of Math.log to the engine; these are the same
 * everywhere. As Math.log for 0, Infinity, NaN and negative numbers.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  return x === Infinity ? x : logHighLow(x).high;
}

/**
 * The logarithm to about 2⁻⁶⁰ of its size, or of 1 where it is smaller than that.
 *
 * x = m·2^k; ln m = 2·artanh(s), s = (m − 1)/(m + 1), |s| below 0.172. The first term of the series is
 * computed with twice the digits; the others are below a hundredth of it.
 *
 * @param x positive and finite
 */
export function logHighLow(x: number): HighLow {
  const { mantissa, exponent } = mantissaAndExponent(x);
  const numerator = mantissa - 1;
  const denominator = twoSum(mantissa, 1);
  const s = numerator / denominator.high;
  const product = twoProduct(s, denominator.high);
  const residual = numerator - product.high - product.low - s * denominator.low;
  const square = s * s;
  const rest = residual / denominator.high + s * square * artanhRest(square);
  const sum = twoSum(exponent * LN2_HIGH, 2 * s);
  return twoSum(sum.high, sum.low + (2 * rest + exponent * LN2_LOW));
}

/** (artanh(s)/s − 1)/s² of s², by Horner's rule. */
function artanhRest(square: number): number {
  return ARTANH.reduce((sum, coefficient) => sum * square + coefficient, 0);
}
