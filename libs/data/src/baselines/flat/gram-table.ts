/**
 * The n-grams of one length, grouped by context (the symbols before the last one). The contexts are
 * the n-grams of the next shorter table, named by their index there; the context of unigrams is 0.
 * A context's symbols are contiguous and ascending, so that a whole model is a handful of flat arrays.
 */
export interface GramTable {
  /** Index of each context's first n-gram, and one past the last, [numContexts + 1]. */
  readonly firstGram: Uint32Array;
  /** The last symbol of each n-gram, [numGrams]. */
  readonly symbols: Uint16Array;
  /** Occurrences of each n-gram, [numGrams]. */
  readonly counts: Uint32Array;
  /** Occurrences of each context before a symbol, [numContexts]. */
  readonly totals: Uint32Array;
}

/**
 * Counts the n-grams that end at each token.
 *
 * @param contexts the context of `tokens[i]` for i from `firstIndex` on, [tokens.length]
 * @param firstIndex the first token that has a context of this length
 */
export function countGrams(
  tokens: Uint16Array,
  contexts: Uint32Array,
  firstIndex: number,
  sizes: { readonly numContexts: number; readonly vocabularySize: number },
): GramTable {
  const { numContexts, vocabularySize } = sizes;
  // Below 2^48, hence exact; sorting groups by context, then orders by symbol.
  const keys = new Float64Array(Math.max(0, tokens.length - firstIndex));
  for (let i = firstIndex; i < tokens.length; i++) {
    keys[i - firstIndex] = contexts[i]! * vocabularySize + tokens[i]!;
  }
  keys.sort();
  let numGrams = 0;
  for (let i = 0; i < keys.length; i++) if (i === 0 || keys[i] !== keys[i - 1]) numGrams++;

  const firstGram = new Uint32Array(numContexts + 1);
  const symbols = new Uint16Array(numGrams);
  const counts = new Uint32Array(numGrams);
  const totals = new Uint32Array(numContexts);
  let gram = -1;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const context = Math.floor(key / vocabularySize);
    if (i === 0 || key !== keys[i - 1]) {
      gram++;
      symbols[gram] = key - context * vocabularySize;
      firstGram[context + 1]!++;
    }
    counts[gram]!++;
    totals[context]!++;
  }
  for (let context = 0; context < numContexts; context++) {
    firstGram[context + 1]! += firstGram[context]!;
  }
  return { firstGram, symbols, counts, totals };
}

/** The index of the n-gram (context, symbol); -1 if it never occurred. */
export function findGram(table: GramTable, context: number, symbol: number): number {
  let low = table.firstGram[context]!;
  let high = table.firstGram[context + 1]! - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = table.symbols[middle]!;
    if (found === symbol) return middle;
    if (found < symbol) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
