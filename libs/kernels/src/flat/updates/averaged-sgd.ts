import { compiledLoops } from "../compiled-loops.js";
import { firstNonFinite } from "../finite.js";
import { requireAligned } from "../lengths.js";
import type { ParameterUpdate } from "./parameter-update.js";

export interface AveragedSgdUpdate extends ParameterUpdate {
  /** η of this step, decayed already. */
  readonly learningRate: number;
  /** What the parameters are multiplied with first (PyTorch's 1 − lambd·η). */
  readonly shrinkage: number;
  /** The mean of the parameters, updated in place. */
  readonly average: Float32Array;
  /** μ: the share of the new parameters in their mean; 1 to set it to them. */
  readonly averagingRate: number;
}

const { fround } = Math;

/**
 * p ← s·p − η·g;  a ← a + μ·(p − a)
 *
 * @returns the index of the first new parameter that is NaN or infinite, or -1
 * @throws {RangeError} for different lengths
 */
export function averagedSgdUpdate(update: AveragedSgdUpdate): number {
  const { parameters, gradient, out, average } = update;
  requireAligned({ parameters, gradient, out, average });
  const scale = fround(update.gradientScale);
  const learningRate = fround(update.learningRate);
  const shrinkage = fround(update.shrinkage);
  const averagingRate = fround(update.averagingRate);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    return compiled.averagedSgdUpdate(
      parameters,
      gradient,
      out,
      scale,
      average,
      learningRate,
      shrinkage,
      averagingRate,
    );
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    const g = fround(gradient[i]! * scale);
    const next = fround(fround(shrinkage * parameters[i]!) - fround(learningRate * g));
    const a = average[i]!;
    // With a rate of 1, a + (p − a) is not always p.
    average[i] = averagingRate === 1 ? next : a + fround(averagingRate * fround(next - a));
    out[i] = next;
  }
  return firstNonFinite(out);
}
