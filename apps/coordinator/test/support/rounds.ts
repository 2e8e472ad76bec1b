import { expect } from "vitest";
import type { TrainRound } from "../../src/training/index.js";
import type { Trial } from "./trial.js";

/** Collects a step, and carries its states on. */
export async function collect(trial: Trial, step: number): Promise<TrainRound> {
  const round = trial.trainRound(step);
  const outcome = await trial.collect(round);
  expect(outcome.kind).toBe("complete");
  trial.states.replace(round.states(), outcome.holders);
  return round;
}

/** The one value of which the step's gradient is made; takes its buffer. */
export async function rootOf(round: TrainRound): Promise<number | undefined> {
  const root = await round.tree.takeRoot();
  const value = root[0];
  expect([...root]).toEqual([value, value, value]);
  return value;
}

/** Steps in which everybody is right. */
export async function collectUsual(trial: Trial, numSteps = 3): Promise<void> {
  for (let step = 1; step <= numSteps; step++) {
    const round = await collect(trial, step);
    trial.gradients.release(await round.tree.takeRoot());
  }
}
