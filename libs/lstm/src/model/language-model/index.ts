/**
 * Language models: embedding → recurrent layers → head, over segments of text whose state is carried on.
 *
 * @example
 * const model = createLanguageModel(spec);
 * model.setParameters(initialParameters(spec, seed));
 * const outcomes = model.computeGradients({ batch, states, seed, step, onGradient });
 * const tokens = generate(model, { prompt: [1], length: 200, temperature: 0.8, topP: 0.95, seed });
 */
export { zeroStates } from "./carried-state.js";
export { generate } from "./generate.js";
export type { GenerateOptions } from "./generate.js";
export { createLanguageModel } from "./language-model.js";
export type { ComputeGradientsOptions, EvaluateOptions, LanguageModel } from "./language-model.js";
export type { TokenBatch } from "./token-batch.js";
export { predictNextTensor, tokenBatch } from "./token-tensors.js";
export type { TokenTensors } from "./token-tensors.js";
