/**
 * Sessions: one worker's Train stream each, between the wire and whoever hands out leases.
 *
 * @example
 * const session = new WorkerSession({ workerId, name }, modules);
 */
export { stopWorkers } from "./stop-workers.js";
export type { StopWorkersOptions } from "./stop-workers.js";
export { WorkerSession } from "./worker-session.js";
export type {
  EvaluationResult,
  Progress,
  SessionHub,
  UploadBegin,
  UploadEnd,
  UploadHub,
  WorkerSessionModules,
} from "./worker-session.js";
