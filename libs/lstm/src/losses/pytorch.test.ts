import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { createLoss } from "./index.js";
import type { LossOptions, LossTotals } from "./index.js";
import { digammaHalfStep, logGammaHalfStep } from "./special-functions.js";

interface Case {
  readonly name: string;
  readonly numTargets: number;
  readonly outputs: readonly number[];
  readonly sum: number;
  readonly gradient: readonly number[];
}

type OptionsOf<Kind> = Extract<LossOptions, { readonly kind: Kind }>;

interface ValuesCase extends Case {
  readonly options: Exclude<LossOptions, { readonly kind: "crossEntropy" | "ctc" }>;
  readonly targets: readonly number[];
  readonly mean: number;
}

interface ClassesCase extends Case {
  readonly options: OptionsOf<"crossEntropy">;
  readonly targets: readonly number[];
  readonly mean: number;
}

interface LabelSequencesCase extends Case {
  readonly options: OptionsOf<"ctc">;
  readonly inputLengths: readonly number[];
  readonly targets: readonly (readonly number[])[];
  readonly weights: readonly number[];
  /** Of each row. */
  readonly losses: readonly number[];
}

/** Made by tools/make-loss-fixtures.py. */
interface Fixture {
  readonly torch: string;
  readonly numRows: number;
  readonly weights: readonly number[];
  readonly values: readonly ValuesCase[];
  readonly classes: readonly ClassesCase[];
  readonly labelSequences: readonly LabelSequencesCase[];
  readonly halfSteps: {
    readonly points: readonly number[];
    readonly logGamma: readonly number[];
    readonly digamma: readonly number[];
  };
}

const fixture = JSON.parse(
  readFileSync(new URL("../../fixtures/losses.json", import.meta.url), "utf8"),
) as Fixture;

/** Half a unit in the last place of a float32, and of the fixture's ninth digit. */
const GRADIENT_ERROR = 7e-8;
/** Both are float64; the fixture has twelve digits. */
const SUM_ERROR = 1e-10;

function expectClose(actual: number, expected: number, tolerance: number, what: string): void {
  const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-3);
  expect(error, `${what}: ${actual} for ${expected}`).toBeLessThanOrEqual(tolerance);
}

function expectGradient(actual: Float32Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) {
    expectClose(actual[i]!, value, GRADIENT_ERROR, `gradient ${i}`);
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe(`losses of values as in PyTorch ${fixture.torch}`, () => {
  it.each(fixture.values)("$name", ({ options, numTargets, ...expected }) => {
    const loss = createLoss(options, { numTargets });
    const call = {
      outputs: Float32Array.from(expected.outputs),
      targets: Float32Array.from(expected.targets),
      numRows: fixture.numRows,
      weights: Float32Array.from(fixture.weights),
      outputGradient: new Float32Array(expected.outputs.length).fill(NaN),
    };
    const totals = loss.gradient(call);
    expectClose(totals.lossSum, expected.sum, SUM_ERROR, "sum");
    expect(totals.lossWeight).toBe(sum(fixture.weights));
    expectGradient(call.outputGradient, expected.gradient);
    expect(loss.evaluate(call)).toEqual(totals);
    const plain = loss.evaluate({ ...call, weights: call.weights.map(() => 1) });
    expectClose(meanOf(plain), expected.mean, SUM_ERROR, "mean");
  });
});

describe(`losses of classes as in PyTorch ${fixture.torch}`, () => {
  it.each(fixture.classes)("$name", ({ options, numTargets, ...expected }) => {
    const loss = createLoss(options, { numTargets });
    const call = {
      outputs: Float32Array.from(expected.outputs),
      targets: Int32Array.from(expected.targets),
      numRows: fixture.numRows,
      weights: Float32Array.from(fixture.weights),
      outputGradient: new Float32Array(expected.outputs.length).fill(NaN),
    };
    const totals = loss.gradient(call);
    expectClose(totals.lossSum, expected.sum, SUM_ERROR, "sum");
    expectGradient(call.outputGradient, expected.gradient);
    expect(loss.evaluate(call)).toEqual(totals);
    const plain = loss.evaluate({ ...call, weights: call.weights.map(() => 1) });
    expectClose(meanOf(plain), expected.mean, SUM_ERROR, "mean");
  });
});

describe(`losses of label sequences as in PyTorch ${fixture.torch}`, () => {
  it.each(fixture.labelSequences)("$name", ({ options, numTargets, targets, ...expected }) => {
    const longest = Math.max(...targets.map(({ length }) => length));
    // What is behind a row's length is no label at all.
    const padded = targets.flatMap((row) =>
      [...row, ...new Array<number>(longest).fill(-7)].slice(0, longest),
    );
    const loss = createLoss(options, { numTargets });
    const call = {
      outputs: Float32Array.from(expected.outputs),
      numRows: targets.length,
      inputLengths: Int32Array.from(expected.inputLengths),
      targets: Int32Array.from(padded),
      targetLengths: Int32Array.from(targets, ({ length }) => length),
      weights: Float32Array.from(expected.weights),
      outputGradient: new Float32Array(expected.outputs.length).fill(NaN),
    };
    const totals = loss.gradient(call);
    expectClose(totals.lossSum, expected.sum, SUM_ERROR, "sum");
    expect(totals.lossWeight).toBe(sum(expected.weights));
    expectGradient(call.outputGradient, expected.gradient);
    expect(loss.evaluate(call)).toEqual(totals);
    for (const [row, value] of expected.losses.entries()) {
      const weights = call.weights.map((_, i) => (i === row ? 1 : 0));
      expectClose(loss.evaluate({ ...call, weights }).lossSum, value, 1e-8, `row ${row}`);
    }
  });
});

describe(`half steps of the gamma function as in PyTorch ${fixture.torch}`, () => {
  const { points, logGamma, digamma } = fixture.halfSteps;
  it.each(points.map((a, i) => ({ a, log: logGamma[i]!, derivative: digamma[i]! })))(
    "at $a",
    ({ a, log, derivative }) => {
      // The reference subtracts values up to 860, which costs it 1e-13.
      expect(Math.abs(logGammaHalfStep(a) - log)).toBeLessThan(4e-13);
      expect(Math.abs(digammaHalfStep(a) - derivative)).toBeLessThan(2e-14);
    },
  );
});

const meanOf = ({ lossSum, lossWeight }: LossTotals): number => lossSum / lossWeight;
