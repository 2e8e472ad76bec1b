import { compiledLoops } from "../compiled-loops.js";
import { firstNonFinite } from "../finite.js";
import { requireAligned } from "../lengths.js";
import type { ParameterUpdate } from "./parameter-update.js";

export interface AdagradUpdate extends ParameterUpdate {
  /** Sum of squared gradients, updated in place. */
  readonly squareSum: Float32Array;
  /** Added after the square root. */
  readonly epsilon: number;
}

const { fround } = Math;

/**
 * s ← s + g²;  p ← p − η·g / (√s + ε)
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function adagradUpdate(update: AdagradUpdate): number {
  const { parameters, gradient, out, squareSum } = update;
  requireAligned({ parameters, gradient, out, squareSum });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const epsilon = fround(update.epsilon);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.adagradUpdate(
      parameters,
      gradient,
      out,
      scale,
      squareSum,
      learningRate,
      epsilon,
    );
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const s = fround(squareSum[i]! + fround(g * g));
    squareSum[i] = s;
    const denominator = fround(fround(Math.sqrt(s)) + epsilon);
    out[i] = parameters[i]! - fround(fround(learningRate * g) / denominator);
  }
  return firstNonFinite(out);
}
