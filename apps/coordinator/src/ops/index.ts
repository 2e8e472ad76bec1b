/**
 * Operations: what the coordinator tells about itself.
 *
 * @example
 * const metrics = createMetrics(registry, { countWorkers, checkpointAgeSeconds });
 */
export { createMetrics } from "./metrics.js";
export type { Metrics, MetricsSources } from "./metrics.js";
export { buildStatus, describeWait } from "./status.js";
export type { StatusSources } from "./status.js";
