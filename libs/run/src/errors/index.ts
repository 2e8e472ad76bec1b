/**
 * The typed errors of this package.
 *
 * @example
 * ```ts
 * if (error instanceof RunError) process.exitCode = isUsageError(error.code) ? 2 : 1;
 * ```
 *
 * @module
 */
export { requireFormat } from "./require-format.js";
export { isUsageError, RunError } from "./run-error.js";
export type { RunErrorCode } from "./run-error.js";
export { storageFailed } from "./storage-failed.js";
