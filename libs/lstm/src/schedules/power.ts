import { integerPower } from "@ostinato/kernels";

/** Binary digits of the exponent's fraction that are used; a float64 has no more below its point. */
const FRACTION_DIGITS = 52;

/**
 * base^exponent in float64, off by at most 2e-14 of it for exponents up to 64: ECMAScript leaves the
 * bits of `**` to the engine; of multiplications and square roots in a fixed order they are the same
 * everywhere.
 *
 * The exponent's whole part is a power of multiplications alone; digit k of its fraction stands for
 * base^(2^-k), which is the square root of the digit before it.
 *
 * @param base from 0 to 1
 * @param exponent above 0
 */
export function power(base: number, exponent: number): number {
  const whole = Math.floor(exponent);
  let result = integerPower(base, whole);
  let rest = exponent - whole;
  let root = base;
  for (let digit = 0; digit < FRACTION_DIGITS && rest > 0; digit++) {
    root = Math.sqrt(root);
    rest *= 2;
    if (rest < 1) continue;
    rest -= 1;
    result *= root;
  }
  return result;
}
