/**
 * When to end, and with which exit code.
 *
 * @example
 * const shutdown = createShutdown();
 * shutdown.signal.addEventListener("abort", () => session.drain());
 * shutdown.onInsist((cause) => process.exit(exitCodeOf(cause)));
 * // …
 * shutdown.dispose();
 * process.exitCode = shutdown.exitCode();
 */
export type { Shutdown, ShutdownCause } from "./shutdown.js";
export { createShutdown, exitCodeOf, SIGNAL_EXIT_CODES } from "./shutdown.js";
export { watchStrayErrors } from "./stray-errors.js";
export type { StrayErrorSource } from "./stray-errors.js";
export { SAME_REQUEST_MS, StopRequests } from "./stop-requests.js";
