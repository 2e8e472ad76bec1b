/**
 * The ways to draw a tensor's first values: pure functions of a shape, a random key and options.
 *
 * @example
 * orthogonal([128, 128], { seed, step: 0, purpose: 'tensorInitialization', layer: 0 }, { gain: 1 });
 */
export { chrono, hasMemoryGate } from "./chrono.js";
export type { Gate } from "./chrono.js";
export { calculateGain, NONLINEARITIES } from "./gain.js";
export type { Nonlinearity } from "./gain.js";
export { identity } from "./identity.js";
export { orthogonal } from "./orthogonal.js";
export type { Shape } from "./shape.js";
export { constant, normal, truncatedNormal, uniform, zeros } from "./spread.js";
export {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
} from "./variance-scaling.js";
export type { GlorotOptions, HeOptions } from "./variance-scaling.js";
