/**
 * The service, in codec values, from both sides.
 *
 * @example
 * implementCoordinator(server, handlers);
 * // and elsewhere
 * const client = createCoordinatorClient("127.0.0.1:50051");
 * const identity = await client.join(request, { deadlineMs: 30_000 });
 * const stream = client.train();
 * if (!stream.send(message)) await stream.drained();
 */
export type { Caller } from "./caller.js";
export type { ClientSecurity } from "./client-security.js";
export type { CallOptions, ClientSettings, CoordinatorClient } from "./coordinator-client.js";
export { createCoordinatorClient } from "./coordinator-client.js";
export type { CoordinatorHandlers } from "./coordinator-handlers.js";
export type { ImplementOptions } from "./implement-coordinator.js";
export { implementCoordinator } from "./implement-coordinator.js";
export { coordinatorService } from "./service-definition.js";
export type { TrainStream } from "./train-stream.js";
export { untilAborted } from "./until-aborted.js";
