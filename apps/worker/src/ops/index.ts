/**
 * What a worker shows of itself: metrics, health, and the folder it may keep files in.
 *
 * @example
 * const metrics = createWorkerMetrics(new Registry(), { version: '0.1.0', node: 'v20.15.0' });
 * metrics.leases.inc({ kind: 'train', outcome: 'done' });
 */
export { createWorkerMetrics } from "./metrics.js";
export type { LeaseOutcome, PhaseTimer, StreamDirection, WorkerMetrics } from "./metrics.js";
