/**
 * Leases: free → leased → done, with fencing numbers. Pure, time injected.
 *
 * @example
 * const table = new LeaseTable(8, 1);
 * const lease = table.grant('worker-1', [0, 1, 2, 3], clock.now());
 */
export { LeaseTable } from "./lease-table.js";
export type { GrantOptions, LeaseRecord, LeaseState, LostLease } from "./lease-table.js";
export { LeasePace } from "./pace.js";
export type { LeaseSamples } from "./pace.js";
export { contiguousRuns, nodesToUpload, planLeases } from "./plan.js";
export type { Assignment } from "./plan.js";
export { LeaseShares } from "./shares.js";
