/**
 * Verification of a finished or interrupted run.
 *
 * @example
 * ```ts
 * const { ok, problems, summary } = await verifyRun("runs/book-20261124T031509Z");
 * ```
 *
 * @module
 */
export type { StepDigest } from "./checkpoint-checks.js";
export type { VerifySummary } from "./history.js";
export { verifyRun } from "./verify-run.js";
export type { VerifyOptions, VerifyReport } from "./verify-run.js";
