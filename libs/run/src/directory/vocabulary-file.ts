/**
 * vocabulary.json: what turns token ids into text again, long after the data is gone. Runs of texts have one
 * with the symbols, runs of pairs one with the tokens of both sides.
 */

import { createHash } from "node:crypto";

import { createTokenVocabulary, createVocabulary, FIRST_IDS, WRITTEN_FORMS } from "@ostinato/data";
import type { PairVocabularies, Vocabulary } from "@ostinato/data";
import { z } from "zod";

import type { RunConfig } from "../config/index.js";
import { requireFormat, RunError } from "../errors/index.js";

const VOCABULARY_FORMAT = 1;
const format = z.literal(VOCABULARY_FORMAT);
const vocabularyFile = z.strictObject({ format, symbols: z.array(z.string()) });

const side = z.strictObject({ form: z.enum(WRITTEN_FORMS), tokens: z.array(z.string()) });
const pairVocabularyFile = z.strictObject({ format, source: side, target: side });

/** Whether the data of a run have symbols, and its directory a vocabulary.json. */
export function hasVocabulary({ data }: Pick<RunConfig, "data">): boolean {
  return data.kind !== "sequences";
}

/** @param symbols of a text, or the vocabularies of pairs */
export function encodeVocabulary(symbols: readonly string[] | PairVocabularies): Uint8Array {
  const content = "source" in symbols ? sidesOf(symbols) : { symbols };
  return Buffer.from(`${JSON.stringify({ format: VOCABULARY_FORMAT, ...content })}\n`);
}

function sidesOf({ source, target }: PairVocabularies): object {
  return {
    source: { form: source.form, tokens: source.tokens },
    target: { form: target.form, tokens: target.tokens },
  };
}

/**
 * The vocabulary of a text, from a file's bytes.
 *
 * @param name names the file in messages
 * @throws RunError 'vocabularyDamaged' | 'newerFormat'
 */
export function decodeVocabulary(bytes: Uint8Array, name: string): Vocabulary {
  return decode(bytes, name, (raw) => createVocabulary(vocabularyFile.parse(raw).symbols));
}

/**
 * The vocabularies of pairs, from a file's bytes.
 *
 * @param name names the file in messages
 * @throws RunError 'vocabularyDamaged' | 'newerFormat'
 */
export function decodePairVocabularies(bytes: Uint8Array, name: string): PairVocabularies {
  return decode(bytes, name, (raw) => {
    const { source, target } = pairVocabularyFile.parse(raw);
    return {
      source: createTokenVocabulary({ ...source, firstId: FIRST_IDS.source }),
      target: createTokenVocabulary({ ...target, firstId: FIRST_IDS.target }),
    };
  });
}

function decode<T>(bytes: Uint8Array, name: string, read: (raw: unknown) => T): T {
  try {
    const raw: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    requireFormat(raw, VOCABULARY_FORMAT, name);
    return read(raw);
  } catch (error) {
    if (error instanceof RunError) throw error;
    throw new RunError("vocabularyDamaged", `${name}: is no vocabulary of a run`, { cause: error });
  }
}

/** SHA-256 (hex) of the file: what every checkpoint of the run names. */
export function vocabularySha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
