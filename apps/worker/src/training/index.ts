/**
 * Batch → gradient → frames: the compute thread, the parameter versions it reads, the uploads.
 *
 * @example
 * const compute = new ComputeThread({ entry: new URL('./training/compute-thread-main.js', import.meta.url) });
 * const [profile] = await compute.profiles(['wasm']);
 */
export type {
  BatchTask,
  Compute,
  ComputeEvents,
  ComputeSetup,
  EvaluateTask,
  GradientSlice,
  PreparedCompute,
  TrainedLeaf,
  TrainTask,
} from "./compute.js";
export { ComputeThread } from "./compute-thread.js";
export { LeaseUpload } from "./lease-upload.js";
export type { GradientMemory, MessageSink } from "./lease-upload.js";
export { ParameterVersions } from "./parameter-versions.js";
export type { HeldVersion } from "./parameter-versions.js";
