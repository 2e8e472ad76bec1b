/**
 * What one does with a trained model: measure it and let it write. This room loads TensorFlow.js.
 *
 * @example
 * ```ts
 * const opened = await openModel("runs/moby-dick-20261124T031509Z");
 * const { model, vocabulary } = requireWriter(opened, "generate");
 * const { text } = generateText(model, vocabulary, {
 *   prompt: "Call me ", length: 200, temperature: 0.8, topP: 1, seed: 1,
 * });
 * model.dispose();
 * ```
 *
 * @module
 */
export { measureBaselines } from "./baselines.js";
export { evaluateSplit } from "./evaluate-split.js";
export type { SplitLoss } from "./evaluate-split.js";
export { generateText } from "./generate-text.js";
export type { GeneratedText, TextRequest } from "./generate-text.js";
export {
  isLanguageModel,
  isSequenceModel,
  requireSequenceModel,
  requireTranslator,
  requireWriter,
} from "./model-kind.js";
export { openModel, skippedText } from "./open-model.js";
export type { OpenModel, SkippedCheckpoint } from "./open-model.js";
export { predictLines } from "./predict-lines.js";
export type { Prediction } from "./predict-lines.js";
export { readRunDataset } from "./run-dataset.js";
export { sampleTranslations, translateSources } from "./translate-sources.js";
export type { RankedTarget, Translation, TranslationRequest } from "./translate-sources.js";
