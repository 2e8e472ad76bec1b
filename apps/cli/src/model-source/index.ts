/**
 * Where a model comes from: a run config, a task config, or a run directory.
 *
 * @example
 * ```ts
 * const source = await openModelSource({ path: "examples/moby-dick.yaml", overrides: [] });
 * stdout.write(formatSummary(await summaryOf(source, "examples/moby-dick.yaml")));
 * ```
 *
 * @module
 */
export { isRunDirectory, openModelSource, requireNoOverrides } from "./model-source.js";
export type { ModelSource, ModelSourceRequest } from "./model-source.js";
export { summaryOf } from "./source-summary.js";
