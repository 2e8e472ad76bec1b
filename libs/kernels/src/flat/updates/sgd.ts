import { compiledLoops } from "../compiled-loops.js";
import { firstNonFinite } from "../finite.js";
import { requireAligned } from "../lengths.js";
import type { ParameterUpdate } from "./parameter-update.js";

export interface MomentumUpdate extends ParameterUpdate {
  /** Updated in place; zeros before the first step. */
  readonly momentumBuffer: Float32Array;
  readonly momentum: number;
  /** τ: the share of the gradient that the buffer does not take. PyTorch's first step has none. */
  readonly dampening: number;
  readonly nesterov: boolean;
}

const { fround } = Math;

/**
 * p ← p − η·g
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function sgdUpdate(update: ParameterUpdate): number {
  const { parameters, gradient, out } = update;
  requireAligned({ parameters, gradient, out });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.sgdUpdate(parameters, gradient, out, scale, learningRate);
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    out[i] = parameters[i]! - fround(learningRate * g);
  }
  return firstNonFinite(out);
}

/**
 * b ← μ·b + (1 − τ)·g;  p ← p − η·b, or p − η·(g + μ·b) with `nesterov`
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function momentumUpdate(update: MomentumUpdate): number {
  const { parameters, gradient, out, momentumBuffer, nesterov } = update;
  requireAligned({ parameters, gradient, out, momentumBuffer });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const momentum = fround(update.momentum);
  const taken = fround(1 - update.dampening);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.momentumUpdate(
      parameters,
      gradient,
      out,
      scale,
      momentumBuffer,
      learningRate,
      momentum,
      taken,
      nesterov,
    );
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const b = fround(fround(momentum * momentumBuffer[i]!) + fround(taken * g));
    momentumBuffer[i] = b;
    const direction = nesterov ? fround(g + fround(momentum * b)) : b;
    out[i] = parameters[i]! - fround(learningRate * direction);
  }
  return firstNonFinite(out);
}
