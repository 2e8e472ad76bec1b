import { compiledLoops } from "../compiled-loops.js";
import { firstNonFinite } from "../finite.js";
import { requireAligned } from "../lengths.js";
import type { ParameterUpdate } from "./parameter-update.js";

export interface RmspropUpdate extends ParameterUpdate {
  /** Running mean of squared gradients, updated in place; zeros before the first step. */
  readonly squareAverage: Float32Array;
  /**
   * For the centered form, which divides by the root of the variance: running mean of gradients, updated
   * in place; zeros before the first step. Undefined for the plain form.
   */
  readonly gradientAverage: Float32Array | undefined;
  /** Share of the running means that stays (PyTorch's alpha). */
  readonly decay: number;
  /** Added after the square root. */
  readonly epsilon: number;
}

export interface RmspropMomentumUpdate extends RmspropUpdate {
  /** Updated in place; zeros before the first step. */
  readonly momentumBuffer: Float32Array;
  readonly momentum: number;
}

const { fround } = Math;

/**
 * v ← α·v + (1 − α)·g²;  p ← p − η·g / (√v + ε)
 *
 * Centered: m ← m + (1 − α)·(g − m), and v − m² under the root, or 0 where rounding made it negative
 * (where PyTorch's update is NaN).
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function rmspropUpdate(update: RmspropUpdate): number {
  const { parameters, gradient, out, squareAverage, gradientAverage } = update;
  requireAligned({ parameters, gradient, out, squareAverage });
  if (gradientAverage !== undefined) requireAligned({ parameters, gradientAverage });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const decay = fround(update.decay);
  const rest = fround(1 - update.decay);
  const epsilon = fround(update.epsilon);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.rmspropUpdate(
      parameters,
      gradient,
      out,
      scale,
      squareAverage,
      gradientAverage,
      undefined,
      learningRate,
      decay,
      rest,
      epsilon,
      0,
    );
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const v = fround(fround(decay * squareAverage[i]!) + fround(fround(rest * g) * g));
    squareAverage[i] = v;
    const square = gradientAverage === undefined ? v : varianceAt(i, v, g, gradientAverage, rest);
    const denominator = fround(fround(Math.sqrt(square)) + epsilon);
    out[i] = parameters[i]! - fround(fround(learningRate * g) / denominator);
  }
  return firstNonFinite(out);
}

/**
 * As {@link rmspropUpdate}, but b ← μ·b + g / (√v + ε);  p ← p − η·b
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function rmspropMomentumUpdate(update: RmspropMomentumUpdate): number {
  const { parameters, gradient, out, squareAverage, gradientAverage, momentumBuffer } = update;
  requireAligned({ parameters, gradient, out, squareAverage, momentumBuffer });
  if (gradientAverage !== undefined) requireAligned({ parameters, gradientAverage });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const decay = fround(update.decay);
  const rest = fround(1 - update.decay);
  const epsilon = fround(update.epsilon);
  const momentum = fround(update.momentum);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.rmspropUpdate(
      parameters,
      gradient,
      out,
      scale,
      squareAverage,
      gradientAverage,
      momentumBuffer,
      learningRate,
      decay,
      rest,
      epsilon,
      momentum,
    );
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const v = fround(fround(decay * squareAverage[i]!) + fround(fround(rest * g) * g));
    squareAverage[i] = v;
    const square = gradientAverage === undefined ? v : varianceAt(i, v, g, gradientAverage, rest);
    const denominator = fround(fround(Math.sqrt(square)) + epsilon);
    const b = fround(fround(momentum * momentumBuffer[i]!) + fround(g / denominator));
    momentumBuffer[i] = b;
    out[i] = parameters[i]! - fround(learningRate * b);
  }
  return firstNonFinite(out);
}

/** Takes g into the mean gradient at place i; v less the square of that mean. */
function varianceAt(i: number, v: number, g: number, means: Float32Array, rest: number): number {
  const previous = means[i]!;
  const m = fround(previous + fround(rest * fround(g - previous)));
  means[i] = m;
  return Math.max(0, fround(v - fround(m * m)));
}
