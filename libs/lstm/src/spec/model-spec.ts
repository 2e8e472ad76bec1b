import type { LanguageModelSpec } from "./language-model-spec.js";

/** A model, discriminated by its `kind`. */
export type ModelSpec = LanguageModelSpec;
