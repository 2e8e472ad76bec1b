import { LstmError } from "../lstm-error.js";
import { shown } from "../shown.js";
import type { LanguageModelSpec, ModelSpec } from "./model-spec.js";

interface KeyRule {
  readonly allowed: string;
  readonly admits: (value: unknown) => boolean;
}

const oneOf = (name: string): KeyRule => ({
  allowed: `'${name}'`,
  admits: (value) => value === name,
});

const wholeNumber = (min: number, max: number): KeyRule => ({
  allowed: `a whole number from ${min} to ${max}`,
  admits: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
});

const MAX_SIZE = 65_536;
const MAX_LAYERS = 64;
/** Token ids travel and are gathered as 32-bit integers. */
const MAX_VOCABULARY = 2 ** 31 - 1;

const LANGUAGE_MODEL_KEYS: Readonly<Record<keyof LanguageModelSpec, KeyRule>> = {
  kind: oneOf("languageModel"),
  vocabularySize: wholeNumber(1, MAX_VOCABULARY),
  embeddingSize: wholeNumber(1, MAX_SIZE),
  cell: oneOf("lstm"),
  hiddenSize: wholeNumber(1, MAX_SIZE),
  numLayers: wholeNumber(1, MAX_LAYERS),
  dropout: {
    allowed: "a number from 0 to below 1",
    admits: (value) => typeof value === "number" && value >= 0 && value < 1,
  },
  forgetBias: {
    allowed: "a finite number",
    admits: Number.isFinite,
  },
};

/**
 * Checks every key and returns a frozen copy. Nothing is filled in and nothing is corrected.
 *
 * @param raw a plain object, such as a parsed JSON text
 * @throws {LstmError} `invalidSpec`, naming the key, its value and what is allowed
 */
export function compileModelSpec(raw: unknown): ModelSpec {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new LstmError("invalidSpec", `a model spec is an object; this is ${shown(raw)}`);
  }
  const rules = new Map(Object.entries(LANGUAGE_MODEL_KEYS));
  for (const key of Object.keys(raw)) {
    if (!rules.has(key)) {
      const known = [...rules.keys()].join(", ");
      const name = /^\w+$/.test(key) ? `model.${key}` : JSON.stringify(key);
      throw new LstmError("invalidSpec", `${name} is not a key of a model spec (${known})`);
    }
  }
  const values = new Map<string, unknown>(Object.entries(raw));
  for (const [key, { allowed, admits }] of rules) {
    const value = values.get(key);
    if (admits(value)) continue;
    const found = values.has(key) ? `is ${shown(value)}` : "is missing";
    throw new LstmError("invalidSpec", `model.${key} ${found}; it must be ${allowed}`);
  }
  return Object.freeze({ ...(raw as ModelSpec) });
}
