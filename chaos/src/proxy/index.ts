/**
 * The way between one worker and the coordinator: a relay of bytes, which cuts, stalls and throttles connections, below a
 * gRPC service that sees every message and hands it on as the tap says.
 *
 * @example
 * const way = await openWay({ upstream: () => coordinatorPort, deadlineMs }, tap);
 * startWorker(["--coordinator", way.address]);
 */
export type { Relay } from "./relay.js";
export { openWay } from "./way.js";
export type { Passage, Tap, Way } from "./way.js";
