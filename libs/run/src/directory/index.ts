/**
 * Run directories: created whole or not at all, opened by what is in them.
 *
 * @example
 * ```ts
 * const run = await createRunDirectory({ path: undefined, config, symbols, startedAt, claimant });
 * try {
 *   writer = LedgerWriter.create(run.paths.ledger, { guard: () => run.claim.requireHeld() });
 * } catch (error) {
 *   await run.discard(); // nothing stays of a run that never started
 *   throw error;
 * }
 * ```
 *
 * @module
 */
export { decodeRunEnd, encodeRunEnd } from "./end-record.js";
export type { RunEnd } from "./end-record.js";
export { readEndpoints, removeEndpoints, writeEndpoints } from "./endpoints-file.js";
export type { CoordinatorEndpoints } from "./endpoints-file.js";
export { createRunDirectory, openRunDirectory } from "./run-directory.js";
export type { CreateRunDirectoryOptions, NewRunDirectory, RunDirectory } from "./run-directory.js";
export { runPaths } from "./run-paths.js";
export type { RunPaths } from "./run-paths.js";
export {
  decodePairVocabularies,
  decodeVocabulary,
  encodeVocabulary,
  vocabularySha256,
} from "./vocabulary-file.js";
