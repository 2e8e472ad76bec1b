import { compileKeys, names } from "../keys/index.js";
import { LstmError } from "../lstm-error.js";
import { shown } from "../shown.js";
import type { LanguageModelSpec } from "./language-model-spec.js";
import { MODEL_SCHEMAS } from "./model-spec.js";
import type { ModelSpec, SpecOfKind } from "./model-spec.js";

/**
 * Checks every key, fills in the defaults of those that are left out and returns a frozen copy.
 *
 * @param raw a plain object, such as a parsed JSON text
 * @returns the spec of its kind, for a `raw` whose kind is known
 * @throws {LstmError} `invalidSpec`, naming the key, its value and what is allowed
 */
export function compileModelSpec<const Kind extends ModelSpec["kind"]>(
  raw: { readonly kind: Kind } & Readonly<Record<string, unknown>>,
): SpecOfKind<Kind>;
export function compileModelSpec(raw: unknown): ModelSpec;
export function compileModelSpec(raw: unknown): ModelSpec {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new LstmError("invalidSpec", `model is ${shown(raw)}; it must be an object`);
  }
  const kind: unknown = Object.hasOwn(raw, "kind")
    ? (raw as { readonly kind: unknown }).kind
    : undefined;
  const kinds = Object.keys(MODEL_SCHEMAS) as ModelSpec["kind"][];
  const known = kinds.find((candidate) => candidate === kind);
  if (known === undefined) {
    const found = Object.hasOwn(raw, "kind") ? `is ${shown(kind)}` : "is missing";
    throw new LstmError("invalidSpec", `model.kind ${found}; it must be ${names(kinds)}`);
  }
  return compileKeys<(typeof MODEL_SCHEMAS)[typeof known]>(MODEL_SCHEMAS[known], raw, {
    code: "invalidSpec",
    group: "model",
  });
}

/**
 * As {@link compileModelSpec}, where only a language model can be used.
 *
 * @throws {LstmError} `invalidSpec`, naming the key, its value and what is allowed
 */
export function compileLanguageModelSpec(raw: unknown): LanguageModelSpec {
  const spec = compileModelSpec(raw);
  if (spec.kind === "languageModel") return spec;
  throw new LstmError(
    "invalidSpec",
    `model.kind is ${shown(spec.kind)}; it must be 'languageModel' here`,
  );
}
