import type { OptimizerState } from "./optimizer.js";

/**
 * The parameters that a model is evaluated and used with: their average, for an optimizer that keeps one,
 * else they themselves. Training goes on from the parameters.
 *
 * @param state of the optimizer as of these parameters; before its first update there is no average
 * @returns one of the two arrays, no copy
 */
export function evaluatedParameters(
  parameters: Float32Array,
  { stepCount, slots }: OptimizerState,
): Float32Array {
  return stepCount === 0 ? parameters : (slots["average"] ?? parameters);
}
