/**
 * Inputs made out of inputs, by chance.
 *
 * @example
 * const random = seededRandom(1, "ledger");
 * const input = mutate(corpus[0], { random, other: corpus[1], words: ["seq", "prev"] });
 */
export { MAX_INPUT_BYTES, mutate } from "./mutate.js";
export type { MutationContext } from "./mutate.js";
export { oneOf, seededRandom } from "./random.js";
export type { Random } from "./random.js";
