/**
 * Values down and up again: through the real protocol, through grpc-js alone, through a plain socket.
 *
 * @example
 * const side = new TransportSide("protocol, TCP", { kind: "protocol", target: "127.0.0.1:0" });
 * await side.prepare({ numValues: NUM_VALUES });
 * const { ms } = await side.measure(1);
 */
export { NUM_VALUES, QUICK_NUM_VALUES, VALUE_BYTES } from "./sizes.js";
export type { TransportCase } from "./sizes.js";
export { TransportSide } from "./transport-side.js";
export type { Transport } from "./transport-side.js";
