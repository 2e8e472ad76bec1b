/**
 * The symbols of a text (its code points), the tokens of pairs, and their ids.
 *
 * @example
 * ```ts
 * const vocabulary = createVocabulary(['', 'a', 'b']);
 * vocabulary.encode('abc'); // Uint16Array [1, 2, 0]
 * ```
 *
 * @module
 */
export {
  compareCodePoints,
  createTokenVocabulary,
  tokensOf,
  WRITTEN_FORMS,
} from "./token-vocabulary.js";
export type {
  TokenVocabulary,
  TokenVocabularyOptions,
  WrittenForm,
  WrittenSequence,
} from "./token-vocabulary.js";
export { createVocabulary, MAX_SYMBOLS, UNKNOWN_ID, vocabularyOf } from "./vocabulary.js";
export type { Vocabulary } from "./vocabulary.js";
