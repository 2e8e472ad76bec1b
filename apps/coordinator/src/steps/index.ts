/**
 * A step's arithmetic: stage uploads → gradient tree → average, clip, noise, optimizer → next version.
 *
 * @example
 * const staged = new StagedUpload(shape, pool.acquire());
 * staged.receive(frame);
 * const outcome = staged.finish(end);
 * if (outcome.kind === 'complete') tree.admit(outcome.upload.node, outcome.upload.gradient);
 */
export { ArithmeticThread } from "./arithmetic.js";
export type { Arithmetic } from "./arithmetic.js";
export { ArithmeticOperations } from "./arithmetic-operations.js";
export type {
  ApplyProblem,
  ApplyRequest,
  ApplyResult,
  ArithmeticInit,
  VersionSummary,
} from "./arithmetic-operations.js";
export { BufferPool } from "./buffer-pool.js";
export { GradientTree } from "./gradient-tree.js";
export type { TreeModules } from "./gradient-tree.js";
export { ParameterVersion } from "./parameter-version.js";
export { Versions } from "./versions.js";
export { leafResultsProblem } from "./leaf-results.js";
export { StagedUpload } from "./staged-upload.js";
export type { CompleteUpload, UploadOutcome, UploadShape } from "./staged-upload.js";
export { updateOptions } from "./update-options.js";
