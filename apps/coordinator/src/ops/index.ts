/**
 * Operations: what the coordinator tells about itself.
 *
 * @example
 * const metrics = createMetrics(registry, { countWorkers, checkpointAgeSeconds });
 */
export { createMetrics } from "./metrics.js";
export type { LeaseEnding, Metrics, MetricsSources } from "./metrics.js";
export { StallWatch } from "./stall-watch.js";
export { buildStatus, describeWait } from "./status.js";
export type { StatusSources } from "./status.js";
