/**
 * N-grams of token ids in sorted flat arrays.
 *
 * @example
 * const reader = trainWittenBell(tokens, { order: 3, vocabularySize }).read();
 */
export { trainWittenBell } from "./witten-bell.js";
export type { ContextReader, WittenBell } from "./witten-bell.js";
