/**
 * What a network has to beat: count-based language models of the same tokens.
 *
 * @example
 * ```ts
 * const model = trainNGram(dataset.splits.train, { order: 3, vocabularySize: dataset.vocabulary.size });
 * model.bitsPerSymbol(dataset.splits.test);
 * ```
 *
 * @module
 */
export { trainNGram } from "./ngram.js";
export type { NGramModel, NGramOptions } from "./ngram.js";
