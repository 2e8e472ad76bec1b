/** vocabulary.json: what turns token ids into text again, long after the data is gone. Runs of texts have one. */

import { createHash } from "node:crypto";

import { createVocabulary } from "@ostinato/data";
import type { Vocabulary } from "@ostinato/data";
import { z } from "zod";

import type { RunConfig } from "../config/index.js";
import { RunError } from "../errors/index.js";

const vocabularyFile = z.strictObject({ format: z.literal(1), symbols: z.array(z.string()) });

/** Whether the data of a run have symbols, and its directory a vocabulary.json. */
export function hasVocabulary({ data }: Pick<RunConfig, "data">): boolean {
  return data.kind === "text";
}

export function encodeVocabulary(symbols: readonly string[]): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format: 1, symbols })}\n`);
}

/**
 * The vocabulary of a file's bytes.
 *
 * @param name names the file in messages
 * @throws RunError 'vocabularyDamaged'
 */
export function decodeVocabulary(bytes: Uint8Array, name: string): Vocabulary {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return createVocabulary(vocabularyFile.parse(JSON.parse(text)).symbols);
  } catch (error) {
    throw new RunError("vocabularyDamaged", `${name}: is no vocabulary of a run`, { cause: error });
  }
}

/** SHA-256 (hex) of the file: what every checkpoint of the run names. */
export function vocabularySha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
