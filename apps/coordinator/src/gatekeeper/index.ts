/**
 * The gatekeeper: doubts results by their norm, audits some at random, and finds out whose fault it is by
 * having them computed again. Results go through as two workers gave them, to the bit.
 *
 * @example
 * const gate = gatekeeper.gateOf(step, effects);
 * gate.receive({ upload, workerId, fence }); // effects.admit, or effects.hold and a verdict later
 * for (const { node, workers, begin } of gate.review()) begin(worker, leaseAgain(node, worker));
 */
export { Gate } from "./gate.js";
export type { CheckRequest, GateEffects } from "./gate-modules.js";
export type { GateWait } from "./gate-wait.js";
export { Gatekeeper } from "./gatekeeper.js";
export type { GatekeeperModules, GatekeeperOptions } from "./gatekeeper.js";
export type { NodeResult } from "./inquiry.js";
export type { Culprit } from "./review.js";
