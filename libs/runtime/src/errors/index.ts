/**
 * What can go wrong in a process's own surroundings, typed.
 *
 * @example
 * throw new RuntimeError("portInUse", `cannot listen on ${address}: the port is in use`);
 */
export type { RuntimeErrorCode } from "./runtime-error.js";
export { RuntimeError } from "./runtime-error.js";
