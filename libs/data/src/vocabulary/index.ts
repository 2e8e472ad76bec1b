/**
 * The symbols of a text (its code points) and their token ids.
 *
 * @example
 * ```ts
 * const vocabulary = createVocabulary(['', 'a', 'b']);
 * vocabulary.encode('abc'); // Uint16Array [1, 2, 0]
 * ```
 *
 * @module
 */
export { createVocabulary, MAX_SYMBOLS, UNKNOWN_ID, vocabularyOf } from "./vocabulary.js";
export type { Vocabulary } from "./vocabulary.js";
