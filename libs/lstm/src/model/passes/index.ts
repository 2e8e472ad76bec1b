/**
 * Forward and backward through the layers, on tfjs tensors.
 *
 * @example
 * const activations = forwardPass(spec, tensors, batch, states, { seed, step }, progress);
 * const head = leafLossGradients(tensors, batch, lastHidden, progress);
 * backwardPass(tensors, batch, activations, head.hiddenGradient, onGradient, progress);
 */
export { backwardPass } from "./backward-pass.js";
export type { OnGradient } from "./backward-pass.js";
export { stateOfLeaf } from "./carried-state.js";
export { forwardPass, outputsOfRows } from "./forward-pass.js";
export type { LayerActivations } from "./forward-pass.js";
export { leafLosses, leafLossGradients } from "./leaf-losses.js";
export type { LeafLoss } from "./leaf-losses.js";
export { createModelTensors, disposeModelTensors } from "./model-tensors.js";
export type { ModelTensors } from "./model-tensors.js";
export { inTensorScope } from "./tensor-scope.js";
