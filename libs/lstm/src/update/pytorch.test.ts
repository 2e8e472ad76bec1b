import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { ClippingSpec } from "../clipping/index.js";
import type { ParameterLayout } from "../layout/index.js";
import { compileOptimizerSpec, createOptimizer } from "../optimizers/index.js";
import { learningRateAt } from "../schedules/index.js";
import { createParameterUpdate } from "./parameter-update.js";

/** Made by tools/make-optimizer-fixtures.py. */
interface Fixture {
  readonly torch: string;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly initial: readonly number[];
  /** Of each step. */
  readonly gradients: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly name: string;
    readonly spec: object;
    readonly learningRate: number;
    readonly maxNorm: number | null;
    /** Before clipping, of each step. */
    readonly norms: readonly number[];
    /** The parameters after some of the steps. */
    readonly after: Readonly<Record<string, readonly number[]>>;
    /** What the optimizer remembers after all steps. */
    readonly slots: Readonly<Record<string, readonly number[]>>;
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

const layout = layoutOf(fixture.tensors);

function layoutOf(tensors: Fixture["tensors"]): ParameterLayout {
  let size = 0;
  const placed = tensors.map(({ name, shape }) => {
    const tensor = { name, shape, offset: size, size: shape.reduce((a, b) => a * b, 1) };
    size += tensor.size;
    return tensor;
  });
  return { tensors: placed, size };
}

/** The losses' weight: the fixture's gradients are averages, those given here are sums. */
const LOSS_WEIGHT = 37;

/**
 * Both sides round to float32 after each operation (6e-8), in places differently, over 24 steps, and
 * momentum carries an error on for ten.
 */
const TOLERANCE = 3e-6;

/** Sums of squares: nothing cancels out, so that each value is as exact as its terms. */
const SQUARES = ["squareSum", "squareAverage", "secondMoment", "maxSecondMoment"];

/** Relative to each tensor's largest value; of sums of squares to the value itself. */
function expectClose(found: Float32Array, expected: readonly number[], what: string): void {
  expect(found.length).toBe(expected.length);
  for (const { name, offset, size } of layout.tensors) {
    const wanted = expected.slice(offset, offset + size);
    const largest = Math.max(...wanted.map(Math.abs));
    const scaleOf = (value: number): number => (SQUARES.includes(what) ? Math.abs(value) : largest);
    for (const [i, value] of wanted.entries()) {
      const error = Math.abs(found[offset + i]! - value);
      expect(error, `value ${i} of ${name}, ${what}`).toBeLessThanOrEqual(
        TOLERANCE * scaleOf(value),
      );
    }
  }
}

describe(`24 steps as in PyTorch ${fixture.torch}`, () => {
  it.each(fixture.cases)("$name", ({ spec, learningRate, maxNorm, norms, after, slots }) => {
    const clipping: ClippingSpec =
      maxNorm === null ? { kind: "none" } : { kind: "globalNorm", maxNorm };
    const optimizer = compileOptimizerSpec(spec);
    const gradientNoise = null;
    const update = createParameterUpdate({ optimizer, clipping, gradientNoise, layout, seed: 0 });
    const state = update.initialState();
    let parameters = Float32Array.from(fixture.initial);
    let numClipped = 0;
    for (const [done, average] of fixture.gradients.entries()) {
      const gradient = Float32Array.from(average, (value) => value * LOSS_WEIGHT);
      const out = new Float32Array(parameters.length);
      const step = done + 1;
      const { gradientNorm, clipped } = update.apply({
        ...{ parameters, gradient, lossWeight: LOSS_WEIGHT, learningRate, step, state, out },
      });
      if (maxNorm !== null) expect(gradientNorm / norms[done]!).toBeCloseTo(1, 6);
      if (clipped) numClipped++;
      parameters = out;
      const expected = after[step];
      if (expected !== undefined) expectClose(parameters, expected, `step ${step}`);
    }
    expect(state.stepCount).toBe(24);
    expect(Object.keys(state.slots).sort()).toEqual(Object.keys(slots).sort());
    for (const [name, values] of Object.entries(state.slots)) {
      expectClose(values, slots[name]!, name);
    }
    // The fixture must have steps of both kinds.
    if (maxNorm === null) expect(numClipped).toBe(0);
    else expect([0, 24]).not.toContain(numClipped);
  });

  it("the cosine schedule", () => {
    const { learningRate, totalSteps, finalFraction, rates } = fixture.cosine;
    const schedule = { kind: "cosine", totalSteps, finalFraction, warmupSteps: 0 } as const;
    for (const [step, expected] of rates.entries()) {
      expect(learningRateAt(schedule, { step, learningRate }) / expected).toBeCloseTo(1, 12);
    }
  });
});

describe("24 steps to the bit, with every operation rounded to float32 as by NumPy", () => {
  const cases = fixture.cases.flatMap(({ bits, ...rest }) =>
    bits === undefined ? [] : [{ ...rest, bits }],
  );

  it.each(cases)("$name", ({ spec, learningRate, bits }) => {
    const optimizer = createOptimizer(compileOptimizerSpec(spec), layout);
    const state = optimizer.initialState();
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

  it("has a case of every optimizer and every slot", () => {
    const kinds = cases.map(({ spec }) => compileOptimizerSpec(spec).kind);
    const all = ["adagrad", "adam", "adamw", "averagedSgd", "lamb", "momentum", "rmsprop", "sgd"];
    expect([...new Set(kinds)].sort()).toEqual(all);
    const slots = new Set(cases.flatMap(({ bits }) => Object.keys(bits)));
    expect([...slots].sort()).toEqual([
      ...["average", "firstMoment", "gradientAverage", "maxSecondMoment", "momentumBuffer"],
      ...["parameters", "secondMoment", "squareAverage", "squareSum"],
    ]);
  });
});
