/**
 * Optimizers with PyTorch's semantics, on flat float32 arrays.
 *
 * @example
 * const optimizer = createOptimizer({ kind: 'momentum', momentum: 0.9, nesterov: true });
 * const state = optimizer.initialState(parameters.length);
 * optimizer.update({ parameters, gradient, state, learningRate: 0.1, gradientScale: 1 / 2048, out });
 */
export { createOptimizer } from "./create-optimizer.js";
export type { Optimizer, OptimizerState, OptimizerUpdate } from "./optimizer.js";
export type {
  AdamSpec,
  MomentumSpec,
  OptimizerSpec,
  RmspropSpec,
  SgdSpec,
} from "./optimizer-spec.js";
