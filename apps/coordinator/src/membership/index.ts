/**
 * Membership: identities, their streams, and the numerics profile they must share.
 *
 * @example
 * const profile = policy.choose(request.profiles);
 * const worker = workers.join(request.workerName, profile, clock.now());
 */
export { Conduct } from "./conduct.js";
export { Presence } from "./presence.js";
export { ProfilePolicy } from "./profile-policy.js";
export type { ProfilePolicyOptions } from "./profile-policy.js";
export { WorkerTable } from "./worker-table.js";
export type { WorkerLink, WorkerRecord, WorkerState } from "./worker-table.js";
