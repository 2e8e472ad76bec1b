/**
 * Names a backend's arithmetic, by the digest of a computation in which every kernel has a part.
 *
 * @example
 * const { digest } = await numericsProfile("wasm");
 */
export { numericsProfile } from "./numerics-profile.js";
export type { NumericsProfile } from "./numerics-profile.js";
