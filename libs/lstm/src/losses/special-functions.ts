/**
 * In float64. Of the gamma function only differences over a half step are needed here. They are
 * computed as such: log Γ itself grows with its argument, and its error with it, until nothing of the
 * difference is left.
 */

/** 1 / (1 + e^−x). */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const power = Math.exp(x);
  return power / (1 + power);
}

/** log(1 + e^x), whose derivative is the sigmoid. */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** log(e^a + e^b); −Infinity stands for the logarithm of 0. */
export function logAddExp(a: number, b: number): number {
  const larger = Math.max(a, b);
  if (larger === -Infinity) return larger;
  return larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
}

/** log Σ e^x over `count` values from `first` on. */
export function logSumExp(values: Float32Array, first: number, count: number): number {
  let largest = -Infinity;
  for (let i = first; i < first + count; i++) largest = Math.max(largest, values[i]!);
  let sum = 0;
  for (let i = first; i < first + count; i++) sum += Math.exp(values[i]! - largest);
  return largest + Math.log(sum);
}

/** From here on the first term that each series leaves out is below 1e-16. */
const SERIES_START = 10;
/** Of 1/z, 1/z³, … in Stirling's series of log Γ(z): B₂ₖ / (2k (2k − 1)). NIST DLMF 5.11.1. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156];
/** Of 1/z², 1/z⁴, … in log z − 1/(2z) − ψ(z): B₂ₖ / 2k. NIST DLMF 5.11.2. */
const DIGAMMA = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32_760, 1 / 12];

/**
 * log Γ(a + ½) − log Γ(a): by Stirling's series from 10 on, and below by Γ(a + 1) = a Γ(a).
 *
 * @param a above 0
 */
export function logGammaHalfStep(a: number): number {
  let z = a;
  let below = 0;
  for (; z < SERIES_START; z++) below += Math.log1p(0.5 / z);
  const main = z * Math.log1p(0.5 / z) + 0.5 * Math.log(z) - 0.5;
  return main + (series(STIRLING, z + 0.5) * (z + 0.5) - series(STIRLING, z) * z) - below;
}

/**
 * ψ(a + ½) − ψ(a), the derivative of {@link logGammaHalfStep}.
 *
 * @param a above 0
 */
export function digammaHalfStep(a: number): number {
  let z = a;
  let below = 0;
  for (; z < SERIES_START; z++) below += 0.5 / (z * (z + 0.5));
  const main = Math.log1p(0.5 / z) + 0.25 / (z * (z + 0.5));
  return main - (series(DIGAMMA, z + 0.5) - series(DIGAMMA, z)) + below;
}

/** Σ coefficient / z^(2k), by Horner's rule. */
function series(coefficients: readonly number[], z: number): number {
  const inverseSquare = 1 / (z * z);
  return inverseSquare * coefficients.reduceRight((sum, each) => sum * inverseSquare + each, 0);
}
