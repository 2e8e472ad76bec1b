/**
 * The optimizers' updates, to the bit.
 *
 * @example
 * sgdUpdate({ parameters, gradient, out, gradientScale: 1 / 2048, learningRate: 0.1 });
 */
export { adagradUpdate } from "./adagrad.js";
export type { AdagradUpdate } from "./adagrad.js";
export { adamUpdate, amsgradUpdate } from "./adam.js";
export type { AdamUpdate, AmsgradUpdate } from "./adam.js";
export { averagedSgdUpdate } from "./averaged-sgd.js";
export type { AveragedSgdUpdate } from "./averaged-sgd.js";
export { lambUpdate } from "./lamb.js";
export type { LambUpdate } from "./lamb.js";
export type { ParameterUpdate } from "./parameter-update.js";
export { rmspropMomentumUpdate, rmspropUpdate } from "./rmsprop.js";
export type { RmspropMomentumUpdate, RmspropUpdate } from "./rmsprop.js";
export { momentumUpdate, sgdUpdate } from "./sgd.js";
export type { MomentumUpdate } from "./sgd.js";
export { decayGradient } from "./weight-decay.js";
export type { WeightDecay } from "./weight-decay.js";
