/**
 * Operations: what the coordinator tells about itself.
 *
 * @example
 * const metrics = createMetrics(registry, { countWorkers, checkpointAgeSeconds });
 */
export { findWait, StallWatch } from "./autopsy/index.js";
export type { AutopsySources, Wait } from "./autopsy/index.js";
export { createMetrics } from "./metrics.js";
export type { LeaseEnding, Metrics, MetricsSources, StoragePart } from "./metrics.js";
export { RatedLines } from "./rated-lines.js";
export { createRefusalMetrics } from "./refusal-metrics.js";
export type { RefusalMetrics } from "./refusal-metrics.js";
export { buildStatus } from "./status.js";
export { StorageHealth } from "./storage-health.js";
export type { StorageHealthModules } from "./storage-health.js";
export type { StatusSources } from "./status.js";
