/**
 * Checkpoints: when they are written, what is kept, and where a run resumes.
 *
 * @example
 * const keeper = new CheckpointKeeper({ clock, store: new RunStore(options), onWritten, onFailed });
 * keeper.save(request, () => version.letGo());
 */
export { CheckpointEncoder } from "./checkpoint-encoder.js";
export type { EncodeRequest, EncoderInit } from "./checkpoint-encoder.js";
export { CheckpointKeeper } from "./checkpoint-keeper.js";
export type {
  CheckpointKeeperModules,
  CheckpointRequest,
  CheckpointStore,
  EndSummary,
  TrainedVersion,
} from "./checkpoint-keeper.js";
export { findResumePoint } from "./resume.js";
export type { ResumePoint } from "./resume.js";
export { RunStore } from "./run-store.js";
export type { RunStoreOptions } from "./run-store.js";
