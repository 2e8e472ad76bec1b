/**
 * The update of a step: average → clip → add noise → optimizer.
 *
 * @example
 * const update = createParameterUpdate({
 *   optimizer: compileOptimizerSpec({ kind: 'adam' }),
 *   clipping: { kind: 'globalNorm', maxNorm: 1 },
 *   gradientNoise: null,
 *   layout, seed: 1,
 * });
 * const state = update.initialState();
 * update.apply({ parameters, gradient, lossWeight, learningRate: 2e-3, step: 1, state, out });
 */
export { addGradientNoise, gradientNoiseSchema } from "./gradient-noise.js";
export type { GradientNoise } from "./gradient-noise.js";
export { createParameterUpdate } from "./parameter-update.js";
export type {
  ParameterUpdateOptions,
  ParameterUpdater,
  UpdateRequest,
  UpdateResult,
} from "./parameter-update.js";
export { LEARNING_RATE_KEYS, UPDATE_KEYS } from "./update-keys.js";
