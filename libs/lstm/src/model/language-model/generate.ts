import { stateShape } from "../../layout/index.js";
import { LstmError } from "../../lstm-error.js";
import { uniform32 } from "../../random/index.js";
import type { LanguageModel } from "./language-model.js";
import { sampleToken } from "./sampling.js";

export interface GenerateOptions {
  /** At least one token; the model reads it before the first token is drawn. */
  readonly prompt: readonly number[];
  /** Number of tokens to draw. */
  readonly length: number;
  /** Divides the logits; 0 takes the most likely token each time. */
  readonly temperature: number;
  /** Draws among the most likely tokens that hold this share of the probability, in (0, 1]. */
  readonly topP: number;
  /** The same seed draws the same tokens; a whole number from 0 to 2³² − 1. */
  readonly seed: number;
  /** Tokens never drawn, such as the one for unknown symbols. */
  readonly excluded?: readonly number[];
}

/**
 * Draws tokens one after another, each from the distribution that the model gives it after all
 * before it. The options are checked at once, the tokens computed as they are asked for.
 *
 * @example
 * const text = vocabulary.decode([...generate(model, { prompt, length: 300, temperature: 0.8, topP: 0.95, seed: 1 })]);
 *
 * @throws LstmError `invalidSampling` naming the option, its value and what is allowed. When tokens
 *   are asked for: `invalidParameters` for a model without any, `invalidSampling` for logits that are
 *   not finite.
 */
export function generate(model: LanguageModel, options: GenerateOptions): Generator<number> {
  checkOptions(options, model.spec.vocabularySize);
  return tokens(model, options);
}

function* tokens(model: LanguageModel, options: GenerateOptions): Generator<number> {
  const { prompt, length, seed } = options;
  const excluded = new Set(options.excluded);
  let state: Float32Array = new Float32Array(stateShape(model.spec).valuesPerRow);
  let logits: Float32Array = new Float32Array(0);
  for (const token of prompt) {
    ({ logits, state } = model.predictNext(Int32Array.of(token), state));
  }
  for (let position = 0; position < length; position++) {
    const draw = uniform32({ seed, step: 0, purpose: "sampling", layer: 0 }, position);
    const token = sampleToken(logits, { ...options, excluded }, draw);
    yield token;
    if (position + 1 < length) {
      ({ logits, state } = model.predictNext(Int32Array.of(token), state));
    }
  }
}

function checkOptions(options: GenerateOptions, vocabularySize: number): void {
  const { prompt, length, temperature, topP, seed, excluded = [] } = options;
  const isToken = (token: number): boolean =>
    Number.isInteger(token) && token >= 0 && token < vocabularySize;
  const tokenRange = `a token from 0 to ${vocabularySize - 1}`;
  expect(prompt.length > 0, "prompt", "empty", "at least one token");
  for (const token of prompt) expect(isToken(token), "prompt", token, tokenRange);
  expect(Number.isSafeInteger(length) && length >= 0, "length", length, "a whole number from 0");
  expect(temperature >= 0 && temperature < Infinity, "temperature", temperature, "a number from 0");
  expect(topP > 0 && topP <= 1, "topP", topP, "a number above 0, up to 1");
  const isSeed = Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32;
  expect(isSeed, "seed", seed, `a whole number from 0 to ${2 ** 32 - 1}`);
  for (const token of excluded) expect(isToken(token), "excluded", token, tokenRange);
  const numExcluded = new Set(excluded).size;
  expect(numExcluded < vocabularySize, "excluded", `all ${numExcluded} tokens`, "fewer than all");
}

function expect(holds: boolean, name: string, value: number | string, allowed: string): void {
  if (holds) return;
  throw new LstmError("invalidSampling", `generate: ${name} is ${value}, allowed is ${allowed}`);
}
