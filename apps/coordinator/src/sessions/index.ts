/**
 * Sessions: one worker's Train stream each, between the wire and whoever hands out leases.
 *
 * @example
 * const session = new WorkerSession({ workerId, name }, { hub: dispatcher, stream, metrics, logger });
 */
export { WorkerSession } from "./worker-session.js";
export type {
  EvaluationResult,
  Progress,
  SessionHub,
  UploadBegin,
  UploadEnd,
  WorkerSessionModules,
} from "./worker-session.js";
