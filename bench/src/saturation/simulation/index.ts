/**
 * A cluster's steps in the time of a simulation.
 *
 * @example
 * const points = scalingOf(scenario, [1, 2, 4, 8]);
 * workersAt(points, 0.8); // 6.5: from 7 workers on a fifth of their time is lost
 */
export { scalingOf, workersAt } from "./saturation.js";
export type { ScalingPoint } from "./saturation.js";
export { simulateStep } from "./simulate-step.js";
export type { Bottleneck, CoordinatorCosts, Scenario, SimulatedStep } from "./simulate-step.js";
