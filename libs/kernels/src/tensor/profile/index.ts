/**
 * Names a backend's arithmetic, by the digest of a computation in which every kernel has a part, and
 * each of the engine's functions that a worker may compute with.
 *
 * @example
 * const { digest } = await numericsProfile("wasm");
 */
export { ENGINE_FUNCTIONS } from "./engine-functions.js";
export { numericsProfile } from "./numerics-profile.js";
export type { NumericsProfile } from "./numerics-profile.js";
