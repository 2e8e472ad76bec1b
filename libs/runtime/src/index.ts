/**
 * What the processes share and no library owns: time, logs, shutdown, the endpoint for operators.
 *
 * @example
 * const { logger, flush } = createLogger({ process: "worker-1", file: "logs/worker-1.log" });
 * const shutdown = createShutdown();
 * const ops = await startOpsServer({ host: "127.0.0.1", port: 0, registry, isHealthy, isReady });
 */
export type { Clock, Timer } from "./clock/index.js";
export { ManualClock, systemClock } from "./clock/index.js";
export type { RuntimeErrorCode } from "./errors/index.js";
export { RuntimeError } from "./errors/index.js";
export type { ConsoleStyle, Logger, LoggerOptions } from "./logger/index.js";
export { createLogger } from "./logger/index.js";
export type { OpsEncryption, OpsPage, OpsServer, OpsServerOptions } from "./ops/index.js";
export { collectProcessMetrics, monitorEventLoopLag, startOpsServer } from "./ops/index.js";
export type { Shutdown, ShutdownCause, StrayErrorSource } from "./shutdown/index.js";
export {
  createShutdown,
  exitCodeOf,
  SAME_REQUEST_MS,
  SIGNAL_EXIT_CODES,
  StopRequests,
  watchStrayErrors,
} from "./shutdown/index.js";
