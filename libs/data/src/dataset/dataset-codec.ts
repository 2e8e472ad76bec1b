import { createHash } from "node:crypto";

import { createVocabulary, MAX_SYMBOLS, UNKNOWN_ID } from "../vocabulary/index.js";
import type { Vocabulary } from "../vocabulary/index.js";
import { beginEncoding, corrupt, decodeHeader, isRecord } from "./encoded-prefix.js";
import { SPLIT_NAMES } from "./text-dataset.js";
import type { SplitName, TextDataset } from "./text-dataset.js";

/*
 * An encoded text, after its prefix (see encoded-prefix.ts):
 *
 *   header    {"kind":"text","symbols":[…],"splits":{"train":n,"validation":n,"test":n}}
 *   uint16…   token ids of train, validation, test
 *
 * Integers are little-endian. The form is canonical: one data set has one encoding, so that equal
 * digests and equal data sets are the same thing.
 */
const TOKEN_BYTES = 2;

/** A vocabulary of MAX_SYMBOLS astral symbols takes 7 bytes each, escaped ones (few) up to 9. */
export const MAX_HEADER_BYTES = 16 * MAX_SYMBOLS;

interface Header {
  readonly symbols: readonly string[];
  readonly splits: Readonly<Record<SplitName, number>>;
}

/** The bytes of a data set; their SHA-256 is its digest. */
export function encodeDataset(dataset: Pick<TextDataset, "vocabulary" | "splits">): Uint8Array {
  const { train, validation, test } = dataset.splits;
  const header = encodeHeader({
    symbols: dataset.vocabulary.symbols,
    splits: { train: train.length, validation: validation.length, test: test.length },
  });
  const numTokens = train.length + validation.length + test.length;
  const { bytes, view, offset: start } = beginEncoding(header, numTokens * TOKEN_BYTES);
  let offset = start;
  for (const name of SPLIT_NAMES) {
    for (const token of dataset.splits[name]) {
      view.setUint16(offset, token, true);
      offset += TOKEN_BYTES;
    }
  }
  return bytes;
}

/**
 * The data set of some bytes, every length and value checked; nothing is allocated by a length that
 * the bytes themselves do not back.
 *
 * @throws DataError 'corruptDataset'
 */
export function decodeDataset(bytes: Uint8Array): TextDataset {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { raw, header: headerBytes, offset: start } = decodeHeader(bytes, MAX_HEADER_BYTES);
  const header = readHeader(raw, headerBytes);
  const vocabulary = decodeVocabulary(header.symbols);
  const numTokens = SPLIT_NAMES.reduce((sum, name) => sum + header.splits[name], 0);
  let offset = start;
  if (bytes.length !== offset + numTokens * TOKEN_BYTES) {
    throw corrupt(
      `${numTokens} tokens need ${offset + numTokens * TOKEN_BYTES} bytes, ${bytes.length} are given`,
    );
  }
  const decodeSplit = (name: SplitName): Uint16Array => {
    const tokens = new Uint16Array(header.splits[name]);
    for (let i = 0; i < tokens.length; i++, offset += TOKEN_BYTES) {
      const token = view.getUint16(offset, true);
      if (token >= vocabulary.size) {
        throw corrupt(`token ${i} of ${name} is ${token}; ids are 0 to ${vocabulary.size - 1}`);
      }
      tokens[i] = token;
    }
    return tokens;
  };
  const splits = {
    train: decodeSplit("train"),
    validation: decodeSplit("validation"),
    test: decodeSplit("test"),
  };
  requireOwnVocabulary(splits.train, vocabulary);
  return { kind: "text", vocabulary, splits, digest: digestOf(bytes) };
}

/** SHA-256 in hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function encodeHeader({ symbols, splits }: Header): Uint8Array {
  const { train, validation, test } = splits;
  const header = { kind: "text", symbols, splits: { train, validation, test } };
  return new TextEncoder().encode(JSON.stringify(header));
}

function readHeader(raw: unknown, bytes: Uint8Array): Header {
  if (!isHeader(raw)) throw corrupt("its header is not that of a text");
  if (Buffer.compare(encodeHeader(raw), bytes) !== 0) {
    throw corrupt("its header is not in canonical form");
  }
  return raw;
}

function isHeader(raw: unknown): raw is Header {
  if (!isRecord(raw) || !isRecord(raw["splits"]) || !Array.isArray(raw["symbols"])) return false;
  const { splits } = raw;
  return (
    raw["symbols"].every((symbol) => typeof symbol === "string") &&
    SPLIT_NAMES.every((name) => Number.isSafeInteger(splits[name]) && Number(splits[name]) >= 0)
  );
}

function decodeVocabulary(symbols: readonly string[]): Vocabulary {
  try {
    return createVocabulary(symbols);
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error), error);
  }
}

/** The vocabulary is that of the training part: no symbol of one is missing in the other. */
function requireOwnVocabulary(train: Uint16Array, vocabulary: Vocabulary): void {
  const used = new Uint8Array(vocabulary.size);
  for (const token of train) used[token] = 1;
  if (used[UNKNOWN_ID] === 1) throw corrupt("its training part has an unknown symbol");
  const unused = used.indexOf(0, UNKNOWN_ID + 1);
  if (unused !== -1) throw corrupt(`symbol ${unused} does not occur in its training part`);
}
