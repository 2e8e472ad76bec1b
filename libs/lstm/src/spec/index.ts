/**
 * What a model is: the few numbers from which its layout, parameters and computation follow.
 *
 * @example
 * const spec = compileModelSpec({ kind: "languageModel", vocabularySize: 88, cell: "gru" });
 */
export { compileLanguageModelSpec, compileModelSpec } from "./compile-model-spec.js";
export { brokenEncoderDecoderRule, ENCODER_DECODER_KEYS } from "./encoder-decoder-spec.js";
export type { EncoderDecoderSpec } from "./encoder-decoder-spec.js";
export { brokenLanguageModelRule, LANGUAGE_MODEL_KEYS } from "./language-model-spec.js";
export type { LanguageModelSpec } from "./language-model-spec.js";
export type { ModelSpec, SpecOfKind } from "./model-spec.js";
export type { BrokenRule, RecurrentStackSpec } from "./recurrent-keys.js";
export {
  brokenSequenceModelRule,
  SEQUENCE_MODEL_KEYS,
  SEQUENCE_STACK_KEYS,
} from "./sequence-model-spec.js";
export type { SequenceModelSpec } from "./sequence-model-spec.js";
export { sequenceModelOfData } from "./sequence-model-of-data.js";
export type { SequenceDataSizes, SequenceModelKeys } from "./sequence-model-of-data.js";
