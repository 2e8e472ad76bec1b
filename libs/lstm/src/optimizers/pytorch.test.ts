import { readFileSync } from "node:fs";

import { sumOfSquares } from "@ostinato/kernels";
import { describe, expect, it } from "vitest";

import { globalNormClip } from "../clipping/index.js";
import { learningRateAt } from "../schedules/index.js";
import { createOptimizer } from "./create-optimizer.js";
import type { OptimizerSpec } from "./optimizer-spec.js";

/** Made by tools/make-optimizer-fixtures.py. */
interface Fixture {
  readonly torch: string;
  readonly initial: readonly number[];
  /** Of each step. */
  readonly gradients: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly name: string;
    readonly spec: OptimizerSpec;
    readonly learningRate: number;
    readonly maxNorm: number | null;
    /** Before clipping, of each step. */
    readonly norms: readonly number[];
    /** The parameters after some of the steps. */
    readonly after: Readonly<Record<string, readonly number[]>>;
    /** Of `parameters` and each slot after all steps, for gradients times `bitsScale`, by NumPy. */
    readonly bits?: Readonly<Record<string, readonly number[]>>;
  }[];
  readonly bitsScale: number;
  readonly cosine: {
    readonly learningRate: number;
    readonly totalSteps: number;
    readonly finalFraction: number;
    readonly rates: readonly number[];
  };
}

const fixture = JSON.parse(
  readFileSync(new URL("../../fixtures/optimizers.json", import.meta.url), "utf8"),
) as Fixture;

/** The losses' weight: the fixture's gradients are averages, those given here are sums. */
const LOSS_WEIGHT = 37;

/**
 * Both sides round to float32 after each operation (6e-8 of values around 1), in places differently,
 * over 20 steps, and momentum carries an error on for ten.
 */
const TOLERANCE = 3e-6;

describe(`20 steps as in PyTorch ${fixture.torch}`, () => {
  it.each(fixture.cases)("$name", ({ spec, learningRate, maxNorm, norms, after }) => {
    const optimizer = createOptimizer(spec);
    const state = optimizer.initialState(fixture.initial.length);
    let parameters = Float32Array.from(fixture.initial);
    let numClipped = 0;
    for (const [done, average] of fixture.gradients.entries()) {
      const gradient = Float32Array.from(average, (value) => value * LOSS_WEIGHT);
      const clip = globalNormClip({
        sumOfSquares: sumOfSquares(gradient),
        lossWeight: LOSS_WEIGHT,
        maxNorm: maxNorm ?? undefined,
      });
      if (maxNorm !== null) expect(clip.norm / norms[done]!).toBeCloseTo(1, 6);
      if (clip.clipped) numClipped++;
      const out = new Float32Array(parameters.length);
      optimizer.update({
        parameters,
        gradient,
        state,
        learningRate,
        gradientScale: clip.scale,
        out,
      });
      parameters = out;
      for (const [i, expected] of (after[done + 1] ?? []).entries()) {
        const error = Math.abs(parameters[i]! - expected) / Math.max(1, Math.abs(expected));
        expect(error, `value ${i} after step ${done + 1}`).toBeLessThanOrEqual(TOLERANCE);
      }
    }
    expect(state.stepCount).toBe(20);
    // The fixture must have steps of both kinds.
    if (maxNorm === null) expect(numClipped).toBe(0);
    else expect([0, 20]).not.toContain(numClipped);
  });

  it("the cosine schedule", () => {
    const { learningRate, totalSteps, finalFraction, rates } = fixture.cosine;
    const schedule = { kind: "cosine", totalSteps, finalFraction, warmupSteps: 0 } as const;
    for (const [step, expected] of rates.entries()) {
      expect(learningRateAt(schedule, { step, learningRate }) / expected).toBeCloseTo(1, 12);
    }
  });
});

describe("20 steps to the bit, with every operation rounded to float32 as by NumPy", () => {
  const cases = fixture.cases.flatMap(({ bits, ...rest }) =>
    bits === undefined ? [] : [{ ...rest, bits }],
  );

  it.each(cases)("$name", ({ spec, learningRate, bits }) => {
    const optimizer = createOptimizer(spec);
    const state = optimizer.initialState(fixture.initial.length);
    let parameters = Float32Array.from(fixture.initial);
    for (const average of fixture.gradients) {
      const gradient = Float32Array.from(average);
      const out = new Float32Array(parameters.length);
      const gradientScale = fixture.bitsScale;
      optimizer.update({ parameters, gradient, state, learningRate, gradientScale, out });
      parameters = out;
    }
    const values = Object.entries({ parameters, ...state.slots });
    const found = values.map(([name, { buffer }]) => [name, [...new Uint32Array(buffer)]]);
    expect(Object.fromEntries(found)).toEqual(bits);
  });

  it("has a case of every optimizer", () => {
    expect(cases.map(({ name }) => name)).toEqual([
      "sgd",
      "momentum",
      "nesterov",
      "rmsprop",
      "rmsprop with momentum",
      "adam",
      "adam with other settings",
    ]);
  });
});
