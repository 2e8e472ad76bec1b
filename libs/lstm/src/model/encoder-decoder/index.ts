/**
 * Encoder–decoder with or without attention.
 *
 * @example
 * const model = createEncoderDecoder(spec);
 * model.setParameters(initialParameters(spec, seed));
 * const outcomes = model.computeGradients({ batch, seed, step, onGradient });
 * const [[best]] = model.translate(source, { beamSize: 5, maxLength: 60, lengthPenalty: 0.6 });
 */
export type { Hypothesis } from "./beam.js";
export { createEncoderDecoder } from "./encoder-decoder.js";
export type {
  EncoderDecoder,
  PairEvaluateOptions,
  PairGradientsOptions,
} from "./encoder-decoder.js";
export type { PairBatch, TokenSequences } from "./pair-batch.js";
export { pairBatch, translateTensor } from "./pair-tensors.js";
export type { PairTensors, TranslatedTensors } from "./pair-tensors.js";
export type { TranslateOptions } from "./translate.js";
