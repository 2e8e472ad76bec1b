/**
 * Sides measured in turn, and what one is to another.
 *
 * @example
 * const [ours, theirs] = await measureInTurn(sides, measured, { rounds: 5, seconds: 0.5 }, onFailed);
 * console.log(ratioOf(ours, theirs, 1.2).median);
 */
export { measureInTurn, ratioOf, sideResult } from "./comparison.js";
export type { Ratio, Rounds, SideResult } from "./comparison.js";
