import { compiledLoops } from "../compiled-loops.js";
import { firstNonFinite } from "../finite.js";
import { integerPower } from "../integer-power.js";
import { requireAligned } from "../lengths.js";
import { sumOfSquares } from "../norm.js";
import type { ParameterUpdate } from "./parameter-update.js";

export interface LambUpdate extends ParameterUpdate {
  /** The new parameters; another buffer than `parameters`. */
  readonly out: Float32Array;
  /** λ: what of the parameters is added to the direction, before its norm is taken. */
  readonly weightDecay: number;
  /** Running mean of gradients, updated in place; zeros before the first step. */
  readonly firstMoment: Float32Array;
  /** Running mean of squared gradients, updated in place; zeros before the first step. */
  readonly secondMoment: Float32Array;
  readonly beta1: number;
  readonly beta2: number;
  /** Added after the square root and its bias correction. */
  readonly epsilon: number;
  /** What the parameters' norm counts for at most: φ(z) = min(z, this); Infinity for φ(z) = z. */
  readonly maxWeightNorm: number;
  /** 1 for the first step; the bias corrections depend on it. */
  readonly step: number;
}

const { fround } = Math;

/**
 * LAMB of ONE tensor (You et al., "Large batch optimization for deep learning: training BERT in 76
 * minutes", 2020, Algorithm 2):
 *
 * m ← m + (1 − β₁)·(g − m);  v ← β₂·v + (1 − β₂)·g²;
 * u = (m / (1 − β₁ᵗ)) / (√v / √(1 − β₂ᵗ) + ε) + λ·p;  p ← p − η·(φ(‖p‖) / ‖u‖)·u
 *
 * The ratio is 1 where a norm is 0, as in the authors' code. The norms are those of
 * {@link sumOfSquares}; the ratio times η is one float64 product, rounded once.
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths, or for new parameters in place of the old
 */
export function lambUpdate(update: LambUpdate): number {
  const { parameters, gradient, out, firstMoment, secondMoment } = update;
  const { learningRate, maxWeightNorm } = update;
  if (parameters.length > 0 && out === parameters) {
    throw new RangeError("out is parameters; it must be another array");
  }
  requireAligned({ parameters, gradient, out, firstMoment, secondMoment });
  const scalars = scalarsOf(update);
  const { scale, rest1, beta2, rest2, correction1, correction2, epsilon, weightDecay } = scalars;
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.lambUpdate(
      parameters,
      gradient,
      out,
      scale,
      firstMoment,
      secondMoment,
      rest1,
      beta2,
      rest2,
      correction1,
      correction2,
      epsilon,
      weightDecay,
      learningRate,
      maxWeightNorm,
    );
  }
  writeDirection(update, scalars);
  const weightNorm = Math.sqrt(sumOfSquares(parameters));
  const directionNorm = Math.sqrt(sumOfSquares(out));
  const hasRatio = weightNorm > 0 && directionNorm > 0;
  const ratio = hasRatio ? Math.min(weightNorm, maxWeightNorm) / directionNorm : 1;
  const stepSize = fround(learningRate * ratio);
  const { length } = parameters;
  for (let i = 0; i < length; i++) out[i] = parameters[i]! - fround(stepSize * out[i]!);
  return firstNonFinite(out);
}

interface Scalars {
  readonly scale: number;
  readonly rest1: number;
  readonly beta2: number;
  readonly rest2: number;
  readonly correction1: number;
  readonly correction2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Each rounded to float32. */
function scalarsOf({ step, ...update }: LambUpdate): Scalars {
  return {
    scale: fround(update.gradientScale),
    rest1: fround(1 - update.beta1),
    beta2: fround(update.beta2),
    rest2: fround(1 - update.beta2),
    correction1: fround(1 / (1 - integerPower(update.beta1, step))),
    correction2: fround(1 / Math.sqrt(1 - integerPower(update.beta2, step))),
    epsilon: fround(update.epsilon),
    weightDecay: fround(update.weightDecay),
  };
}

/** Moves the moments on and writes u to `out`. */
function writeDirection(update: LambUpdate, scalars: Scalars): void {
  const { parameters, gradient, out, firstMoment, secondMoment } = update;
  const { scale, rest1, beta2, rest2, correction1, correction2, epsilon, weightDecay } = scalars;
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const previous = firstMoment[i]!;
    const m = fround(previous + fround(rest1 * fround(g - previous)));
    const v = fround(fround(beta2 * secondMoment[i]!) + fround(fround(rest2 * g) * g));
    firstMoment[i] = m;
    secondMoment[i] = v;
    const root = fround(fround(Math.sqrt(v)) * correction2);
    const r = fround(fround(m * correction1) / fround(root + epsilon));
    // Without a decay, r and not r + 0·p, which need not have its bits.
    out[i] = weightDecay === 0 ? r : r + fround(weightDecay * parameters[i]!);
  }
}
