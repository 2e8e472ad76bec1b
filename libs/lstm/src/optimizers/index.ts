/**
 * Optimizers with PyTorch's semantics, on flat float32 arrays.
 *
 * @example
 * const spec = compileOptimizerSpec({ kind: 'momentum', momentum: 0.9, nesterov: true });
 * const optimizer = createOptimizer(spec, layout);
 * const state = optimizer.initialState();
 * optimizer.update({ parameters, gradient, state, learningRate: 0.1, gradientScale: 1 / 2048, out });
 */
export { brokenOptimizerRule, compileOptimizerSpec } from "./compile-optimizer-spec.js";
export type { BrokenOptimizerRule } from "./compile-optimizer-spec.js";
export { createOptimizer } from "./create-optimizer.js";
export {
  averagingTriggerOf,
  evaluatedParameters,
  firstAveragedUpdate,
  keepsAverage,
} from "./averaging.js";
export type { Optimizer, OptimizerState, OptimizerUpdate } from "./optimizer.js";
export { OPTIMIZER_KEYS, optimizerSchema } from "./optimizer-keys.js";
export type { OptimizerKind, OptimizerSpec, ParameterGroup } from "./optimizer-keys.js";
