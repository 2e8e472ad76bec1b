import { expOfSum } from "./exp.js";
import { logHighLow } from "./log.js";
import { twoProduct, twoSum } from "./two-numbers.js";

/** exp of ±this is 0 or infinite. */
const BEYOND_EXP = 1000;

/**
 * base^exponent in float64 with a relative error of at most 1e-15 (where the result is a normal number)
 * and the same bits on every engine, which ECMAScript does not promise of Math.pow.
 *
 * @param base from 0 to Infinity; NaN is returned for another
 */
export function pow(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  // The logarithm's rounding would cost the last bit.
  if (exponent === 1 && base >= 0) return base;
  if (!(base >= 0) || Number.isNaN(exponent)) return NaN;
  if (base === 1) return 1;
  if (base === 0) return exponent > 0 ? 0 : Infinity;
  if (base === Infinity) return exponent > 0 ? Infinity : 0;
  const { high, low } = logHighLow(base);
  const rough = exponent * high;
  if (Math.abs(rough) > BEYOND_EXP) return rough > 0 ? Infinity : 0;
  const product = twoProduct(exponent, high);
  const sum = twoSum(product.high, product.low + exponent * low);
  return expOfSum(sum.high, sum.low);
}
