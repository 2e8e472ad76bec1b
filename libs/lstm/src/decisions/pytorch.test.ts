import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { compileSchedule } from "../schedules/index.js";
import { createDecisions } from "./decisions.js";

/** Made by tools/make-schedule-fixtures.py. */
interface Fixture {
  readonly torch: string;
  readonly plateaus: readonly {
    readonly spec: Readonly<Record<string, unknown>>;
    /** Null for NaN. */
    readonly losses: readonly (number | null)[];
    /** The learning rate after each, which began at 1. */
    readonly factors: readonly number[];
  }[];
}

const { torch, plateaus } = JSON.parse(
  readFileSync(new URL("../../fixtures/schedules.json", import.meta.url), "utf8"),
) as Fixture;

describe(`the reductions of PyTorch ${torch}'s ReduceLROnPlateau`, () => {
  it.each(plateaus)("with $spec", ({ spec, losses, factors }) => {
    const plateau = compileSchedule({ kind: "plateau", ...spec });
    if (plateau.kind !== "plateau") throw new Error("no plateau");
    const decisions = createDecisions({ plateau, earlyStopping: null, averaging: null });
    let state = decisions.initialState();
    const found = losses.map((loss, i) => {
      ({ state } = decisions.afterEvaluation(state, { step: i + 1, loss: loss ?? NaN }));
      return state.learningRateFactor;
    });
    // Both multiply in the same order.
    expect(found).toEqual(factors);
    expect(new Set(factors).size).toBeGreaterThan(2);
  });
});
