/**
 * The functions of Math that a worker may compute with in float64, as the losses and the cpu backend do:
 * ECMAScript leaves their last bits to the engine, so that a profile has to tell engines apart. All
 * others of the kind (pow, sin, …) have no place in what a gradient follows from; sums, products,
 * quotients and square roots have one result everywhere.
 */
export const ENGINE_FUNCTIONS = ["exp", "log", "log1p", "tanh"] as const;

const NUM_ARGUMENTS = 2048;
/** 2^−24 to 2^6: from where log1p(x) is x nearly, to where exp(−x) is 0 in float32. */
const [MIN_EXPONENT, NUM_EXPONENTS] = [-24, 31];

/**
 * Each function at the same arguments, of both signs and many sizes; logarithms of their absolute values.
 *
 * @param next values in [−1, 1)
 */
export function engineFunctionValues(next: () => number): Float64Array {
  const values = Array.from({ length: NUM_ARGUMENTS }, (_, k) => {
    // In [½, 1) by its size; of which two in a row make more digits than a float32 has.
    const mantissa = 0.75 + (next() + next() / 2 ** 23) / 4;
    const size = mantissa * 2 ** (MIN_EXPONENT + (k % NUM_EXPONENTS));
    const signed = next() < 0 ? -size : size;
    return ENGINE_FUNCTIONS.map((name) => {
      const isLogarithm = name === "log" || name === "log1p";
      return Math[name](isLogarithm ? size : signed);
    });
  });
  return Float64Array.from(values.flat());
}
