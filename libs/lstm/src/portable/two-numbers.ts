/** An unevaluated sum of two float64, the low one below half a unit in the last place of the high one. */
export interface HighLow {
  readonly high: number;
  readonly low: number;
}

/** a + b without any rounding error. Knuth, The Art of Computer Programming, volume 2, 4.2.2. */
export function twoSum(a: number, b: number): HighLow {
  const high = a + b;
  const ofB = high - a;
  return { high, low: a - (high - ofB) + (b - ofB) };
}

/** a · b without any rounding error, for products whose parts neither over- nor underflow. Dekker, 1971. */
export function twoProduct(a: number, b: number): HighLow {
  const high = a * b;
  const { high: a1, low: a2 } = halves(a);
  const { high: b1, low: b2 } = halves(b);
  return { high, low: a2 * b2 - (high - a1 * b1 - a2 * b1 - a1 * b2) };
}

/** Two numbers of 26 bits each. Veltkamp, 1968. */
function halves(a: number): HighLow {
  const scaled = (2 ** 27 + 1) * a;
  const high = scaled - (scaled - a);
  return { high, low: a - high };
}
