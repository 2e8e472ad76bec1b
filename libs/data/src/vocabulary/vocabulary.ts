import { DataError } from "../data-error.js";

/** The id of every symbol that the training part does not have. */
export const UNKNOWN_ID = 0;

/** Known symbols a vocabulary may have: ids are uint16 and id 0 is taken. */
export const MAX_SYMBOLS = 0xffff;

const REPLACEMENT_CHARACTER = "\uFFFD";

/** The symbols of a text in the order of their ids. Immutable. */
export interface Vocabulary {
  /** By id: `symbols[0]` is `''`, the unknown symbol; the others are one code point each, ascending. */
  readonly symbols: readonly string[];
  /** Number of ids, the unknown one included. */
  readonly size: number;
  /** The id of a symbol; `UNKNOWN_ID` for one that is not known. */
  idOf(symbol: string): number;
  /** One id per code point of `text`. */
  encode(text: string): Uint16Array;
  /**
   * The text of some ids; an unknown symbol becomes U+FFFD.
   *
   * @throws DataError 'invalidVocabulary' for an id that is not below `size`
   */
  decode(ids: Iterable<number>): string;
}

/**
 * The vocabulary with exactly these symbols.
 *
 * @param symbols `''` first, then single code points in strictly ascending order
 * @throws DataError 'invalidVocabulary' | 'tooManySymbols'
 */
export function createVocabulary(symbols: readonly string[]): Vocabulary {
  if (symbols[UNKNOWN_ID] !== "") {
    throw new DataError(
      "invalidVocabulary",
      `symbol ${UNKNOWN_ID} must be '' (the unknown symbol)`,
    );
  }
  const numSymbols = symbols.length - 1;
  if (numSymbols > MAX_SYMBOLS) throw tooManySymbols(numSymbols);
  // Symbols ascend, so the last one is the greatest; what lies beyond it is unknown.
  const greatest = symbols.at(-1)?.codePointAt(0) ?? 0;
  const idOfCodePoint = new Uint16Array(greatest + 1);
  let previous = -1;
  for (const [id, symbol] of symbols.entries()) {
    if (id === UNKNOWN_ID) continue;
    const codePoint = codePointOf(symbol);
    if (codePoint === undefined || codePoint <= previous) {
      throw new DataError(
        "invalidVocabulary",
        `symbol ${id} is ${JSON.stringify(symbol)}; symbols must be single code points in ascending order`,
        { id },
      );
    }
    idOfCodePoint[codePoint] = id;
    previous = codePoint;
  }
  return new CodePointVocabulary(Object.freeze([...symbols]), idOfCodePoint);
}

/**
 * The vocabulary of a text: its distinct code points, ascending.
 *
 * @throws DataError 'tooManySymbols'
 */
export function vocabularyOf(text: string): Vocabulary {
  const codePoints = new Set<number>();
  for (const symbol of text) codePoints.add(symbol.codePointAt(0) ?? 0);
  if (codePoints.size > MAX_SYMBOLS) throw tooManySymbols(codePoints.size);
  const ascending = Uint32Array.from(codePoints).sort();
  return createVocabulary(["", ...Array.from(ascending, (c) => String.fromCodePoint(c))]);
}

class CodePointVocabulary implements Vocabulary {
  readonly symbols: readonly string[];
  readonly #idOfCodePoint: Uint16Array;

  constructor(symbols: readonly string[], idOfCodePoint: Uint16Array) {
    this.symbols = symbols;
    this.#idOfCodePoint = idOfCodePoint;
  }

  get size(): number {
    return this.symbols.length;
  }

  idOf(symbol: string): number {
    const codePoint = codePointOf(symbol);
    return codePoint === undefined ? UNKNOWN_ID : (this.#idOfCodePoint[codePoint] ?? UNKNOWN_ID);
  }

  encode(text: string): Uint16Array {
    const ids = new Uint16Array(text.length); // at most: an astral code point takes two units
    let numIds = 0;
    for (const symbol of text) {
      ids[numIds++] = this.#idOfCodePoint[symbol.codePointAt(0) ?? 0] ?? UNKNOWN_ID;
    }
    return numIds === ids.length ? ids : ids.slice(0, numIds);
  }

  decode(ids: Iterable<number>): string {
    const parts: string[] = [];
    for (const id of ids) {
      const symbol = this.symbols[id];
      if (symbol === undefined) {
        throw new DataError(
          "invalidVocabulary",
          `token id ${id} is not in the vocabulary; ids are 0 to ${this.size - 1}`,
          { id },
        );
      }
      parts.push(symbol === "" ? REPLACEMENT_CHARACTER : symbol);
    }
    return parts.join("");
  }
}

/** The code point of a string that has exactly one. */
function codePointOf(symbol: string): number | undefined {
  const codePoint = symbol.codePointAt(0);
  if (codePoint === undefined) return undefined;
  return symbol.length === (codePoint > 0xffff ? 2 : 1) ? codePoint : undefined;
}

function tooManySymbols(numSymbols: number): DataError {
  return new DataError(
    "tooManySymbols",
    `the training part has ${numSymbols} different symbols; at most ${MAX_SYMBOLS} are allowed`,
    { numSymbols },
  );
}
