import { encoderDecoderSchema } from "./encoder-decoder-spec.js";
import type { EncoderDecoderSpec } from "./encoder-decoder-spec.js";
import { languageModelSchema } from "./language-model-spec.js";
import type { LanguageModelSpec } from "./language-model-spec.js";
import { sequenceModelSchema } from "./sequence-model-spec.js";
import type { SequenceModelSpec } from "./sequence-model-spec.js";

/** A model, discriminated by its `kind`. */
export type ModelSpec = LanguageModelSpec | SequenceModelSpec | EncoderDecoderSpec;

/** The schema of each kind of model. */
export const MODEL_SCHEMAS = {
  languageModel: languageModelSchema,
  sequenceModel: sequenceModelSchema,
  encoderDecoder: encoderDecoderSchema,
} as const;

/** The spec of a kind of model. */
export type SpecOfKind<Kind extends ModelSpec["kind"]> = Extract<
  ModelSpec,
  { readonly kind: Kind }
>;
