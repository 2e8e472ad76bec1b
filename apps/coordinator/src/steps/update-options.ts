import type { ParameterLayout, ParameterUpdateOptions } from "@ostinato/lstm";
import type { RunConfig } from "@ostinato/run";

/** What a run's config says of its updates, for parameters of a layout. */
export function updateOptions(
  { optimizer, seed }: Pick<RunConfig, "optimizer" | "seed">,
  layout: ParameterLayout,
): ParameterUpdateOptions {
  const { clipping, gradientNoise } = optimizer;
  return { optimizer, clipping, gradientNoise, layout, seed };
}
