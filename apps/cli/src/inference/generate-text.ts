import type { Vocabulary } from "@ostinato/data";
import { UNKNOWN_ID } from "@ostinato/data";
import { generate } from "@ostinato/lstm/model";
import type { LanguageModel } from "@ostinato/lstm/model";

export interface TextRequest {
  /** What the text goes on from; empty: a line feed, or else the first symbol known. */
  readonly prompt: string;
  /** Characters to write. */
  readonly length: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

export interface GeneratedText {
  /** The text, without its prompt. */
  readonly text: string;
  /** Different characters of the prompt that the model never saw, in their order. */
  readonly unknown: readonly string[];
}

/** Lets a model write. The unknown symbol is never written. */
export function generateText(
  model: LanguageModel,
  vocabulary: Vocabulary,
  { prompt, length, temperature, topP, seed }: TextRequest,
): GeneratedText {
  const unknown = [...new Set(prompt)].filter((symbol) => vocabulary.idOf(symbol) === UNKNOWN_ID);
  const start = [...vocabulary.encode(prompt)];
  if (start.length === 0) {
    const lineFeed = vocabulary.idOf("\n");
    start.push(lineFeed === UNKNOWN_ID ? UNKNOWN_ID + 1 : lineFeed);
  }
  const excluded = [UNKNOWN_ID];
  const ids = generate(model, { prompt: start, length, temperature, topP, seed, excluded });
  return { text: vocabulary.decode(Uint16Array.from(ids)), unknown };
}
