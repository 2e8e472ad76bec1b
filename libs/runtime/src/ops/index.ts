/**
 * What operators look at: metrics, health, readiness, pages, event-loop lag, memory.
 *
 * @example
 * const ops = await startOpsServer({ host: "127.0.0.1", port: 0, registry, isHealthy, isReady });
 * const lag = monitorEventLoopLag(registry, "ostinato_worker_event_loop_lag_seconds");
 */
export { monitorEventLoopLag } from "./event-loop-lag.js";
export { collectProcessMetrics } from "./process-metrics.js";
export type { OpsEncryption, OpsPage, OpsServer, OpsServerOptions } from "./ops-server.js";
export { startOpsServer } from "./ops-server.js";
