/**
 * The metrics file of a run.
 *
 * @example
 * ```ts
 * const metrics = openMetricsFile(run.paths.metrics);
 * metrics.append({ type: "step", step: 1, loss: 4.57, samplesPerSecond: 8100 });
 * ```
 *
 * @module
 */
export { metricsLine, metricsOf, openMetricsFile } from "./metrics-file.js";
export type { MetricsFile, MetricsLine } from "./metrics-file.js";
