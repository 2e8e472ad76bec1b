import { compiledLoops } from "../compiled-loops.js";
import { firstNonFinite } from "../finite.js";
import { integerPower } from "../integer-power.js";
import { requireAligned } from "../lengths.js";
import type { ParameterUpdate } from "./parameter-update.js";

export interface AdamUpdate extends ParameterUpdate {
  /** Running mean of gradients, updated in place; zeros before the first step. */
  readonly firstMoment: Float32Array;
  /** Running mean of squared gradients, updated in place; zeros before the first step. */
  readonly secondMoment: Float32Array;
  readonly beta1: number;
  readonly beta2: number;
  /** Added after the square root and its bias correction. */
  readonly epsilon: number;
  /** 1 for the first step; the bias corrections depend on it. */
  readonly step: number;
}

export interface AmsgradUpdate extends AdamUpdate {
  /** The largest second moment so far, updated in place; zeros before the first step. */
  readonly maxSecondMoment: Float32Array;
}

const { fround } = Math;

/**
 * m ← m + (1 − β₁)·(g − m);  v ← β₂·v + (1 − β₂)·g²;
 * p ← p − (η / (1 − β₁ᵗ))·m / (√v / c + ε)  with  c = √(1 − β₂ᵗ), the powers as {@link integerPower}
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function adamUpdate(update: AdamUpdate): number {
  const { parameters, gradient, out, firstMoment, secondMoment } = update;
  requireAligned({ parameters, gradient, out, firstMoment, secondMoment });
  const { scale, rest1, beta2, rest2, stepSize, epsilon } = scalarsOf(update);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.adamUpdate(
      parameters,
      gradient,
      out,
      scale,
      firstMoment,
      secondMoment,
      undefined,
      rest1,
      beta2,
      rest2,
      stepSize,
      epsilon,
    );
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const previous = firstMoment[i]!;
    const m = fround(previous + fround(rest1 * fround(g - previous)));
    const v = fround(fround(beta2 * secondMoment[i]!) + fround(fround(rest2 * g) * g));
    firstMoment[i] = m;
    secondMoment[i] = v;
    const denominator = fround(fround(Math.sqrt(v)) + epsilon);
    out[i] = parameters[i]! - fround(fround(stepSize * m) / denominator);
  }
  return firstNonFinite(out);
}

/**
 * As {@link adamUpdate}, with the largest v so far in place of v (Reddi, Kale, Kumar, "On the convergence
 * of Adam and beyond", 2018)
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function amsgradUpdate(update: AmsgradUpdate): number {
  const { parameters, gradient, out, firstMoment, secondMoment, maxSecondMoment } = update;
  requireAligned({ parameters, gradient, out, firstMoment, secondMoment, maxSecondMoment });
  const { scale, rest1, beta2, rest2, stepSize, epsilon } = scalarsOf(update);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.adamUpdate(
      parameters,
      gradient,
      out,
      scale,
      firstMoment,
      secondMoment,
      maxSecondMoment,
      rest1,
      beta2,
      rest2,
      stepSize,
      epsilon,
    );
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const previous = firstMoment[i]!;
    const m = fround(previous + fround(rest1 * fround(g - previous)));
    const v = fround(fround(beta2 * secondMoment[i]!) + fround(fround(rest2 * g) * g));
    firstMoment[i] = m;
    secondMoment[i] = v;
    const largest = fround(Math.max(v, maxSecondMoment[i]!));
    maxSecondMoment[i] = largest;
    const denominator = fround(fround(Math.sqrt(largest)) + epsilon);
    out[i] = parameters[i]! - fround(fround(stepSize * m) / denominator);
  }
  return firstNonFinite(out);
}

interface Scalars {
  readonly scale: number;
  readonly rest1: number;
  readonly beta2: number;
  readonly rest2: number;
  readonly stepSize: number;
  readonly epsilon: number;
}

/** Each rounded to float32. */
function scalarsOf({ step, ...update }: AdamUpdate): Scalars {
  // The fraction is extended by c: the same formula, with one division a value instead of two.
  const correction = Math.sqrt(1 - integerPower(update.beta2, step));
  const stepSize = (update.learningRate / (1 - integerPower(update.beta1, step))) * correction;
  return {
    scale: fround(update.gradientScale),
    rest1: fround(1 - update.beta1),
    beta2: fround(update.beta2),
    rest2: fround(1 - update.beta2),
    stepSize: fround(stepSize),
    epsilon: fround(update.epsilon * correction),
  };
}
