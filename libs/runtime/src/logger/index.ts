/**
 * Structured logs: one file a process, and a readable console.
 *
 * @example
 * const { logger, flush } = createLogger({ process: "coordinator", file: "logs/coordinator.log" });
 * logger.info({ workerId }, "joined");
 * await flush();
 */
export type { ConsoleStyle, Logger, LoggerOptions } from "./logger.js";
export { createLogger } from "./logger.js";
