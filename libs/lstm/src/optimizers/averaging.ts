/** What an optimizer that averages its parameters asks of those who train with it. */

import type { AveragingTriggerSpec } from "../decisions/index.js";
import type { OptimizerSpec } from "./optimizer-keys.js";
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

/** Whether an optimizer keeps an average beside the parameters. */
export const keepsAverage = ({ kind }: Pick<OptimizerSpec, "kind">): boolean =>
  kind === "averagedSgd";

/** What starts the averaging by the evaluations; null where none does. */
export function averagingTriggerOf(spec: OptimizerSpec): AveragingTriggerSpec | null {
  if (spec.kind !== "averagedSgd" || spec.nonmonotonicInterval === null) return null;
  return { nonmonotonicInterval: spec.nonmonotonicInterval };
}

/**
 * The first update whose parameters are in the average; until then, and after that update, the average is
 * the parameters. Undefined for an optimizer that keeps none.
 *
 * @param started see `averagingStart`
 */
export function firstAveragedUpdate(
  spec: OptimizerSpec,
  started: number | undefined,
): number | undefined {
  return spec.kind === "averagedSgd" ? (started ?? spec.t0 + 2) : undefined;
}
