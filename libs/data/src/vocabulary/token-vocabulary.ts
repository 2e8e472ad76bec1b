import { DataError } from "../data-error.js";
import { UNKNOWN_ID } from "./vocabulary.js";

/** A sequence as people write it: a string of characters (code points), or a list of tokens. */
export type WrittenSequence = string | readonly string[];

/** How the sequences of a vocabulary are written. */
export const WRITTEN_FORMS = ["characters", "tokens"] as const;

export type WrittenForm = (typeof WRITTEN_FORMS)[number];

export interface TokenVocabularyOptions {
  readonly form: WrittenForm;
  /** The known tokens in strictly ascending order of their code points; characters are single ones. */
  readonly tokens: readonly string[];
  /** The id of the first of them. Those below it stand for no token; 0 is the unknown one. */
  readonly firstId: number;
}

/** The tokens of one side of pairs, and their ids. Immutable. */
export interface TokenVocabulary extends TokenVocabularyOptions {
  /** Number of ids, those below `firstId` included. */
  readonly size: number;
  /** The id of a token; `UNKNOWN_ID` for one that is not known. */
  idOf(token: string): number;
  /** One id for each character or token. */
  encode(sequence: WrittenSequence): Int32Array;
  /**
   * The sequence of some ids, as this vocabulary's are written; what is no token becomes U+FFFD.
   *
   * @throws DataError 'invalidVocabulary' for an id that is not below `size`
   */
  decode(ids: Iterable<number>): WrittenSequence;
}

const REPLACEMENT_CHARACTER = "\uFFFD";

/** @throws DataError 'invalidVocabulary' for tokens that are empty, out of order or no single characters */
export function createTokenVocabulary({
  form,
  tokens,
  firstId,
}: TokenVocabularyOptions): TokenVocabulary {
  for (const [n, token] of tokens.entries()) {
    const previous = tokens[n - 1];
    const isAscending = previous === undefined || compareCodePoints(previous, token) < 0;
    if (isAscending && (form === "tokens" ? token !== "" : Array.from(token).length === 1))
      continue;
    const what = form === "tokens" ? "not empty and" : "single code points";
    throw new DataError(
      "invalidVocabulary",
      `token ${n} is ${JSON.stringify(token)}; tokens must be ${what} in ascending order`,
      { token: n },
    );
  }
  const ids = new Map(tokens.map((token, n) => [token, firstId + n]));
  const size = firstId + tokens.length;
  const idOf = (token: string): number => ids.get(token) ?? UNKNOWN_ID;
  return {
    form,
    tokens: Object.freeze([...tokens]),
    firstId,
    size,
    idOf,
    encode: (sequence) => Int32Array.from(tokensOf(sequence), idOf),
    decode(wanted) {
      const decoded = Array.from(wanted, (id) => {
        if (Number.isInteger(id) && id >= 0 && id < size) {
          return tokens[id - firstId] ?? REPLACEMENT_CHARACTER;
        }
        throw new DataError(
          "invalidVocabulary",
          `token id ${id} is not in the vocabulary; ids are 0 to ${size - 1}`,
          { id },
        );
      });
      return form === "characters" ? decoded.join("") : decoded;
    },
  };
}

/** The characters of a string (its code points), the tokens of a list. */
export function tokensOf(sequence: WrittenSequence): readonly string[] {
  return typeof sequence === "string" ? Array.from(sequence) : sequence;
}

/** By the first code point that differs; of two that begin alike, the shorter one first. */
export function compareCodePoints(a: string, b: string): number {
  let unit = 0;
  for (;;) {
    const [ofA, ofB] = [a.codePointAt(unit), b.codePointAt(unit)];
    if (ofA === undefined || ofB === undefined) return a.length - b.length;
    if (ofA !== ofB) return ofA - ofB;
    unit += ofA > 0xffff ? 2 : 1;
  }
}
