import { compiledLoops } from "../compiled-loops.js";
import { requireAligned } from "../lengths.js";
import type { ParameterUpdate } from "./parameter-update.js";

export interface WeightDecay extends Pick<
  ParameterUpdate,
  "parameters" | "gradient" | "gradientScale"
> {
  /** λ */
  readonly weightDecay: number;
  /** What an update takes for its gradient, with a scale of 1; may be `gradient` itself. */
  readonly out: Float32Array;
}

const { fround } = Math;

/**
 * `out = gradient · gradientScale + λ · parameters`: the penalty ½λ‖p‖² as part of the gradient, as
 * PyTorch's optimizers have it. A pass of its own, so that updates without it lose no time.
 *
 * @throws {RangeError} for different lengths
 */
export function decayGradient(decay: WeightDecay): void {
  const { parameters, gradient, out } = decay;
  requireAligned({ parameters, gradient, out });
  const scale = fround(decay.gradientScale);
  const weightDecay = fround(decay.weightDecay);
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    compiled.decayGradient(parameters, gradient, out, scale, weightDecay);
    return;
  }
  const { length } = parameters;
  for (let i = 0; i < length; i++) {
    out[i] = fround(gradient[i]! * scale) + fround(weightDecay * parameters[i]!);
  }
}
