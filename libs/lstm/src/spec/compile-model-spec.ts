import { compileKeys } from "../keys/index.js";
import { languageModelSchema } from "./language-model-spec.js";
import type { ModelSpec } from "./model-spec.js";

/**
 * Checks every key, fills in the defaults of those that are left out and returns a frozen copy.
 *
 * @param raw a plain object, such as a parsed JSON text
 * @throws {LstmError} `invalidSpec`, naming the key, its value and what is allowed
 */
export function compileModelSpec(raw: unknown): ModelSpec {
  return compileKeys(languageModelSchema, raw, { code: "invalidSpec", group: "model" });
}
