/**
 * Checkpoints: written whole or not at all, verified byte for byte when read.
 *
 * @example
 * ```ts
 * await writeCheckpoint(run, content, { beforeCommit: () => ledger.sync() });
 * await retention(run, { written: content.step, keep: 3, best: content.progress.best?.step });
 * const { content, skipped } = await newestCheckpoint(run); // damaged ones are skipped, with a reason
 * ```
 *
 * @module
 */
export type { CheckpointContent, CheckpointProfile, CheckpointTensors } from "./content.js";
export { decodeManifest, encodeManifest } from "./manifest.js";
export type { Manifest } from "./manifest.js";
export { checkpointName, checkpointPath, checkpointSteps } from "./names.js";
export { readPointer } from "./pointers.js";
export type { CheckpointPointer, PointerName } from "./pointers.js";
export { loadCheckpoint, newestCheckpoint, syncedLedgerBytes } from "./read-checkpoint.js";
export type { ExpectedRun, NewestCheckpoint, NewestCheckpointOptions } from "./read-checkpoint.js";
export { parametersSha256 } from "./sha256.js";
export { encodeTensorFiles, TensorFileEncoder } from "./tensor-files.js";
export type { HashedFile } from "./tensor-files.js";
export { retention } from "./retention.js";
export type { RetentionOptions } from "./retention.js";
export { writeCheckpoint } from "./write-checkpoint.js";
export type { WriteCheckpointOptions } from "./write-checkpoint.js";
