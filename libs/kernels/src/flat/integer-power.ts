/**
 * base^exponent in float64, of multiplications alone: base^(2^k) by squaring, and the product of those
 * that the exponent's bits name, the lowest bit first. ECMAScript leaves the bits of `**` to the engine;
 * these are the same everywhere.
 *
 * @param exponent a whole number from 0 to 2⁵³ − 1
 */
export function integerPower(base: number, exponent: number): number {
  let power = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
