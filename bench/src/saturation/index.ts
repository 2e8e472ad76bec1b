/**
 * Where one coordinator saturates: the real one with synthetic workers on the real wire, whose threads'
 * processor time goes into a simulation of more workers than this machine has, and of a network.
 *
 * @example
 * const one = await measureStep({ numParameters, numWorkers: 1, frames, folder });
 * const three = await measureStep({ numParameters, numWorkers: 3, frames, folder });
 * const points = scalingOf({ ...cluster, costs: costsOf(one, three) }, [1, 2, 4, 8]);
 */
export { costsOf } from "./coordinator-costs.js";
export { LEVERS } from "./levers.js";
export { forecasterOf, measureStep } from "./measured-steps.js";
export type { MeasuredStep } from "./measured-steps.js";
export { scalingOf, workersAt } from "./simulation/index.js";
export type { CoordinatorCosts, ScalingPoint, Scenario } from "./simulation/index.js";
export { syntheticFrames } from "./synthetic-worker.js";
