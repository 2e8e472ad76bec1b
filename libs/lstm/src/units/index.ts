/**
 * Units of losses.
 *
 * @example
 * bitsPerSymbol(Math.LN2); // 1
 */
export { bitsPerSymbol } from "./bits.js";
