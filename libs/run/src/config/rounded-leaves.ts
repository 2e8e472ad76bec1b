import type { RunConfig } from "./schema.js";

/** The keys that say whether and where gradients are rounded. */
export interface GradientSettings {
  readonly numerics: Pick<RunConfig["numerics"], "gradients" | "gradientLeaves">;
  readonly training: Pick<RunConfig["training"], "microShards">;
}

/** Without a number in the config there are so many nodes: as many workers can have one. */
const NODES_BY_DEFAULT = 8;

/**
 * The level of the gradient tree at which gradients are rounded to bfloat16, by the leaves of its nodes, a power
 * of two that divides `microShards`. Each node of this level is rounded, and no other, whoever computes it: the
 * bits of the result are those of the config.
 *
 * @returns undefined where gradients are float32
 */
export function roundedLeaves({ numerics, training }: GradientSettings): number | undefined {
  const { gradients, gradientLeaves } = numerics;
  if (gradients === "float32") return undefined;
  return gradientLeaves ?? Math.max(1, training.microShards / NODES_BY_DEFAULT);
}
