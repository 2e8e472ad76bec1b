/**
 * When to end, and with which exit code.
 *
 * @example
 * const shutdown = createShutdown();
 * shutdown.signal.addEventListener("abort", () => session.drain());
 * // …
 * shutdown.dispose();
 * process.exitCode = shutdown.exitCode();
 */
export type { Shutdown, ShutdownCause } from "./shutdown.js";
export { createShutdown } from "./shutdown.js";
