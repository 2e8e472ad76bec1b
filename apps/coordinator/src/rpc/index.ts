/**
 * The gRPC service, as codec values.
 *
 * @example
 * implementCoordinator(server, createHandlers(run, modules));
 */
export { DataFetches } from "./data-fetches.js";
export { createHandlers } from "./handlers.js";
export type { HandlerModules, RunDescription } from "./handlers.js";
export { lateHandlers } from "./late-handlers.js";
