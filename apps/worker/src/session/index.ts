/**
 * The session with a coordinator: join with back-off, the Train stream, leases, drain, stop.
 *
 * @example
 * const session = new WorkerSession(options, { connect: () => client(), compute, clock, … });
 * const end = await session.run(); // { kind: 'stop', failed: false, reason: 'completed' }
 */
export type { StreamEnd } from "./attached-stream.js";
export type { CoordinatorLink, TrainStream } from "./coordinator-link.js";
export { Offers } from "./offers.js";
export { WorkerSession } from "./worker-session.js";
