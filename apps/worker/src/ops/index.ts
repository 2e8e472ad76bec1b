/**
 * What a worker shows of itself: its metrics.
 *
 * @example
 * const metrics = createWorkerMetrics(new Registry(), { version: '0.1.0', node: 'v20.20.2' });
 * metrics.leases.inc({ kind: 'train', outcome: 'done' });
 */
export { createWorkerMetrics, rejectionLabel } from "./metrics.js";
export type { SessionState, WorkerMetrics } from "./metrics.js";
