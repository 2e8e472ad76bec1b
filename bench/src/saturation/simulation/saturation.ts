import type { Scenario, SimulatedStep } from "./simulate-step.js";
import { simulateStep } from "./simulate-step.js";

/** In place of no loss at all, which has no logarithm. */
const LEAST = 1e-9;

export interface ScalingPoint extends SimulatedStep {
  readonly numWorkers: number;
}

/** A step with each number of workers. */
export function scalingOf(
  scenario: Omit<Scenario, "numWorkers">,
  numbers: readonly number[],
): readonly ScalingPoint[] {
  return numbers.map((numWorkers) => ({
    numWorkers,
    ...simulateStep({ ...scenario, numWorkers }),
  }));
}

/**
 * The number of workers at which the efficiency falls below a limit, between two points by a
 * power law; undefined if it does not.
 *
 * @param points by ascending number of workers
 */
export function workersAt(points: readonly ScalingPoint[], efficiency: number): number | undefined {
  const index = points.findIndex((point) => point.efficiency < efficiency);
  const below = points[index];
  const above = points[index - 1];
  if (below === undefined) return undefined;
  if (above === undefined) return below.numWorkers;
  // Lost time over computing time: a power of the number of workers where each costs the same.
  const lost = (part: number): number => Math.log(Math.max(1 - part, LEAST) / part);
  const from = lost(above.efficiency);
  const part = (lost(efficiency) - from) / (lost(below.efficiency) - from);
  return above.numWorkers * (below.numWorkers / above.numWorkers) ** part;
}
