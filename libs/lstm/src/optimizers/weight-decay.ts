import { decayGradient, scaleValues } from "@ostinato/kernels";

import type { RunUpdate, UpdateRule } from "./update-rule.js";

/**
 * The update that is left once the weight decay is in its gradient or its parameters. What has decayed is in
 * `out`, which the update reads value by value before it writes there.
 */
export function withWeightDecay(update: RunUpdate, decays: UpdateRule["decays"]): RunUpdate {
  const { parameters, learningRate, weightDecay, out } = update;
  // Not even a factor of 1 or a term of 0: the bits are those of no weight decay at all.
  if (weightDecay === 0) return update;
  switch (decays) {
    case "gradient":
      decayGradient(update);
      return { ...update, gradient: out, gradientScale: 1 };
    case "parameters":
      scaleValues(parameters, 1 - learningRate * weightDecay, out);
      return { ...update, parameters: out };
    case "nothing":
      return update;
    default:
      return decays satisfies never;
  }
}
