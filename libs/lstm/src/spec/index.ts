/**
 * What a model is: the few numbers from which its layout, parameters and computation follow.
 *
 * @example
 * const spec = compileModelSpec(JSON.parse(modelJson));
 */
export { compileModelSpec } from "./compile-model-spec.js";
export type { LanguageModelSpec, ModelSpec } from "./model-spec.js";
