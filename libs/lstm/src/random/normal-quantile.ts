import { exp, log } from "../portable/index.js";

/** Coefficients of the highest power first. */
interface Rational {
  readonly numerator: readonly number[];
  readonly denominator: readonly number[];
}

/** Of 0.180625 − q² where |q| ≤ 0.425. */
const CENTRAL: Rational = {
  numerator: [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
    1971.5909503065513, 133.14166789178438, 3.3871328727963665,
  ],
  denominator: [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
    687.1870074920579, 42.31333070160091, 1.0,
  ],
};
/** Of √(−ln p) − 1.6 where that root is at most 5. */
const MIDDLE: Rational = {
  numerator: [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
    3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  denominator: [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
    0.6897673349851, 1.6763848301838038, 2.053191626637759, 1.0,
  ],
};
/** Of √(−ln p) − 5 beyond. */
const TAIL: Rational = {
  numerator: [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  denominator: [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1.0,
  ],
};

/**
 * The number that a standard normal deviate is below with probability p: the inverse of its cumulative
 * distribution function, with a relative error of about 1e-16 and the same bits on every engine.
 *
 * Algorithm AS 241 (PPND16) of Wichura, "The percentage points of the normal distribution", Applied
 * Statistics 37 (1988).
 *
 * @param offset p − ½, above −½ and below ½
 */
export function normalQuantile(offset: number): number {
  if (Math.abs(offset) <= 0.425) return offset * ratio(CENTRAL, 0.180625 - offset * offset);
  const root = Math.sqrt(-log(0.5 - Math.abs(offset)));
  const size = root <= 5 ? ratio(MIDDLE, root - 1.6) : ratio(TAIL, root - 5);
  return offset < 0 ? -size : size;
}

/**
 * The probability that a standard normal deviate is between 0 and x, with an absolute error of about
 * 1e-16 and the same bits on every engine: φ(x)·(x + x³/3 + x⁵/(3·5) + …), whose terms are all of
 * one sign. Marsaglia, "Evaluating the normal distribution", Journal of Statistical Software 11 (2004).
 *
 * @param x from 0 to 10
 */
export function normalProbabilityUpTo(x: number): number {
  let [term, sum] = [x, x];
  for (let odd = 3; sum + term !== sum; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return (exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

function ratio({ numerator, denominator }: Rational, x: number): number {
  return horner(numerator, x) / horner(denominator, x);
}

function horner(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}
