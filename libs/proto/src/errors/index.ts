/**
 * What goes wrong on the wire, typed; and its way through a gRPC status and back.
 *
 * @example
 * throw new WireError("unknownData", `this run's data is ${digest}`);
 */
export { onOneLine } from "./one-line.js";
export { ERROR_STATUS, fromStatus, toStatus } from "./status.js";
export type { WireErrorCode } from "./wire-error.js";
export { WireError } from "./wire-error.js";
