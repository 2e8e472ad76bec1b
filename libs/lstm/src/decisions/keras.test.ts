import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { createDecisions } from "./decisions.js";

/** Made by tools/make-early-stopping-fixtures.py. */
interface Case {
  readonly patience: number;
  readonly minDelta: number;
  /** Null for NaN. */
  readonly losses: readonly (number | null)[];
  /** After how many of them training ends; null: not yet. */
  readonly stop: number | null;
  /** By then. */
  readonly best: number;
}

const { cases } = JSON.parse(
  readFileSync(new URL("../../fixtures/early-stopping.json", import.meta.url), "utf8"),
) as { readonly cases: readonly Case[] };

it("early stopping ends after the evaluation that Keras's EarlyStopping ends after", () => {
  for (const { patience, minDelta, losses, stop, best } of cases) {
    const earlyStopping = { patience, minDelta };
    const decisions = createDecisions({ plateau: null, earlyStopping, averaging: null });
    let state = decisions.initialState();
    let [found, step]: [number | null, number] = [null, 0];
    while (found === null && step < losses.length) {
      const loss = losses[step++] ?? NaN;
      ({ state } = decisions.afterEvaluation(state, { step, loss }));
      if (state.stop !== null) found = step;
    }
    const what = JSON.stringify({ patience, minDelta, losses });
    expect(found, what).toBe(stop);
    expect(state.earlyStopping?.best, what).toBe(best);
  }
  // The fixture must have ends of many kinds, and runs without one.
  const stops = new Set(cases.map(({ stop }) => stop));
  expect(stops.size).toBeGreaterThan(10);
  expect(stops).toContain(null);
});
