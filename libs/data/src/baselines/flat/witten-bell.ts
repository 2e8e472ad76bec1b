import { countGrams, findGram } from "./gram-table.js";
import type { GramTable } from "./gram-table.js";

/** The counts of a text, ready to be read along another. */
export interface WittenBell {
  /** A reader that has seen no token yet. */
  read(): ContextReader;
}

/** A place in a text: predicts the next token, then is told which it was. */
export interface ContextReader {
  probability(symbol: number): number;
  push(symbol: number): void;
}

/** Counts all n-grams up to `order`; the arguments are checked by the caller. */
export function trainWittenBell(
  tokens: Uint16Array,
  { order, vocabularySize }: { readonly order: number; readonly vocabularySize: number },
): WittenBell {
  const tables: GramTable[] = [];
  const contexts = new Uint32Array(tokens.length);
  let numContexts = 1;
  for (let length = 0; ; length++) {
    const table = countGrams(tokens, contexts, length, { numContexts, vocabularySize });
    tables.push(table);
    if (tables.length === order) break;
    numContexts = table.symbols.length;
    // The n-gram that ends at token i is the context, longer by one, of token i + 1.
    for (let i = tokens.length - 2; i >= length; i--) {
      contexts[i + 1] = findGram(table, contexts[i]!, tokens[i]!);
    }
  }
  return { read: () => new Reader(tables, vocabularySize) };
}

class Reader implements ContextReader {
  readonly #tables: readonly GramTable[];
  readonly #vocabularySize: number;
  /** By length: the context of the next token in the table of that index; -1 if never seen. */
  readonly #contexts: Int32Array;

  constructor(tables: readonly GramTable[], vocabularySize: number) {
    this.#tables = tables;
    this.#vocabularySize = vocabularySize;
    this.#contexts = new Int32Array(tables.length).fill(-1);
    this.#contexts[0] = 0;
  }

  probability(symbol: number): number {
    let probability = 1 / this.#vocabularySize;
    for (let length = 0; length < this.#tables.length; length++) {
      const context = this.#contexts[length]!;
      if (context < 0) break; // a longer context was not seen either
      const table = this.#tables[length]!;
      const total = table.totals[context]!;
      if (total === 0) break; // seen only at the very end of the training text
      const numTypes = table.firstGram[context + 1]! - table.firstGram[context]!;
      const gram = findGram(table, context, symbol);
      const count = gram < 0 ? 0 : table.counts[gram]!;
      probability = (count + numTypes * probability) / (total + numTypes);
    }
    return probability;
  }

  push(symbol: number): void {
    for (let length = this.#tables.length - 1; length > 0; length--) {
      const shorter = this.#contexts[length - 1]!;
      this.#contexts[length] =
        shorter < 0 ? -1 : findGram(this.#tables[length - 1]!, shorter, symbol);
    }
  }
}
