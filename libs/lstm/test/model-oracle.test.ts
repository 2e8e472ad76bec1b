/**
 * The language model against a float64 one written from the formulas alone (test/oracle): losses, states
 * and moments by its forward pass, gradients by its central differences.
 */
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { parameterLayout } from "../src/index.js";
import type { LanguageModelSpec } from "../src/index.js";
import { createLanguageModel } from "../src/model/index.js";
import type { LeafOutcome } from "../src/model/index.js";
import {
  backends,
  randomParameters,
  randomSegment,
  relativeError,
  specOf,
} from "./language-models.js";
import type { Segment } from "./language-models.js";
import { anySpec, MODEL_CASES } from "./model-specs.js";
import { centralDifferences } from "./oracle/finite-differences.js";
import { runLanguageModel } from "./oracle/language-model.js";
import type { OracleOutcome } from "./oracle/language-model.js";
import { OracleMasks } from "./oracle/masks.js";
import { OracleTensors } from "./oracle/tensors.js";
import { randomStatistics, runningOf } from "./support/running-statistics.js";

/** Of gradients: those of a loss that is nearly zero, or of a unit that hardly matters, are sums to nothing. */
const FLOOR = 0.01;

type Training = { readonly seed: number; readonly step: number } | undefined;

function oracleOf(
  spec: LanguageModelSpec,
  parameters: Float32Array,
  segment: Segment,
  training: Training,
): { readonly tensors: OracleTensors; readonly run: () => readonly OracleOutcome[] } {
  const tensors = new OracleTensors(parameterLayout(spec).tensors, parameters);
  const masks = new OracleMasks(training);
  const running = runningOf(spec);
  return { tensors, run: () => runLanguageModel({ spec, tensors, masks, running, ...segment }) };
}

interface Actual {
  readonly backend: string;
  readonly outcomes: readonly LeafOutcome[];
  /** By tensor, of each leaf. */
  readonly gradients: ReadonlyMap<string, readonly Float32Array[]>;
}

async function computed(
  backend: (typeof backends)[number],
  spec: LanguageModelSpec,
  parameters: Float32Array,
  request: Segment & NonNullable<Training>,
): Promise<Actual> {
  await selectBackend(backend);
  const model = createLanguageModel(spec);
  model.setParameters(parameters);
  const gradients = new Map<string, readonly Float32Array[]>();
  const outcomes = model.computeGradients({
    ...request,
    onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
  });
  model.dispose();
  return { backend, outcomes, gradients };
}

/** All values of a tensor; of one with more than `most`, about as many, and each leaf's largest gradient. */
function pickedOf(size: number, most: number, perLeaf: readonly Float32Array[]): number[] {
  const stride = Math.max(1, Math.ceil(size / most));
  const largest = perLeaf.map((values) => {
    const sizes = values.map(Math.abs);
    return sizes.indexOf(Math.max(...sizes));
  });
  return Array.from({ length: size }, (_, k) => k).filter(
    (k) => k % stride === 0 || largest.includes(k),
  );
}

/** On each backend, since it is the oracle that takes the time. */
async function expectGradientsOfFormulas(
  spec: LanguageModelSpec,
  parameters: Float32Array,
  segment: Segment,
  placesPerTensor: number,
): Promise<void> {
  const training = { seed: 9, step: 21 };
  const { tensors, run } = oracleOf(spec, parameters, segment, training);
  const expected = run();
  const all: Actual[] = [];
  for (const backend of backends) {
    const actual = await computed(backend, spec, parameters, { ...segment, ...training });
    for (const [index, ofLeaf] of expected.entries()) {
      expectOutcome(actual.outcomes[index]!, ofLeaf, `leaf ${index} on ${backend}`);
    }
    all.push(actual);
  }
  const layout = parameterLayout(spec);
  for (const { gradients } of all) {
    expect([...gradients.keys()].sort()).toEqual(layout.tensors.map(({ name }) => name).sort());
  }
  for (const { name, offset, size } of layout.tensors) {
    const picked = pickedOf(size, placesPerTensor, all[0]!.gradients.get(name)!);
    const places = picked.map((k) => offset + k);
    const differences = centralDifferences(tensors.flat, places, () =>
      run().map(({ objective }) => objective),
    );
    for (const { backend, gradients } of all) {
      for (const [index, wanted] of differences.entries()) {
        const actual = picked.map((k) => gradients.get(name)![index]![k]!);
        const what = `${name} of leaf ${index} on ${backend}`;
        expect(relativeError(actual, wanted, FLOOR), what).toBeLessThan(1e-4);
      }
    }
  }
}

function expectOutcome(actual: LeafOutcome, expected: OracleOutcome, what: string): void {
  expect(relativeError([actual.lossSum], [expected.lossSum], 0.1), what).toBeLessThan(1e-5);
  expect(actual.lossWeight, what).toBe(expected.lossWeight);
  expect(relativeError(actual.state, expected.state), what).toBeLessThan(1e-5);
  for (const [k, moments] of expected.moments.entries()) {
    const { count, mean, m2 } = actual.moments[k]!;
    expect(count, what).toBe(moments.count);
    expect(relativeError(mean, moments.mean, FLOOR), what).toBeLessThan(1e-5);
    expect(relativeError(m2, moments.m2, FLOOR), what).toBeLessThan(1e-5);
  }
}

// Values normalized over one, two or three of them are steps: their slopes are too steep or nothing.
const anyCase = fc.record({
  spec: anySpec(fc.integer({ min: 4, max: 6 })),
  numSteps: fc.integer({ min: 3, max: 5 }),
  rowsOfLeaves: fc.array(fc.constantFrom(0, 2, 3), { minLength: 1, maxLength: 3 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

describe("a language model in training", () => {
  // Two leaves, carried states that are not zero, masked rows in the last step.
  it.each(MODEL_CASES)(
    "has the losses, states and gradients of the formulas: $name",
    async ({ spec }) => {
      const segment = randomSegment(spec, 4, [2, 1], 5, 3);
      await expectGradientsOfFormulas(spec, randomParameters(spec, 11), segment, 30);
    },
  );

  it("has them for any combination of options, shapes and leaves", async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ spec, numSteps, rowsOfLeaves, seed }) => {
        const segment = randomSegment(spec, numSteps, rowsOfLeaves, seed);
        await expectGradientsOfFormulas(spec, randomParameters(spec, seed), segment, 5);
      }),
      // A seed, since a value close to a bend or a variance close to zero is found sooner or later.
      { numRuns: 40, seed: 4, endOnFailure: true },
    );
  });
});

describe.each(backends)("a language model on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(MODEL_CASES)("evaluates without what training adds: $name", ({ spec }) => {
    const model = createLanguageModel(spec);
    const parameters = randomParameters(spec, 3);
    model.setParameters(parameters);
    model.setRunningStatistics(randomStatistics(spec));
    const segment = randomSegment(spec, 5, [3], 8);
    const [outcome] = model.evaluate(segment);
    model.dispose();
    const [expected] = oracleOf(spec, parameters, segment, undefined).run();
    expect(relativeError([outcome!.lossSum], [expected!.lossSum])).toBeLessThan(1e-5);
    expect(relativeError(outcome!.state, expected!.state)).toBeLessThan(1e-5);
    // 5 steps × 3 rows, of which the last step masks positions 13 (odd ones from 12).
    expect(outcome!.lossWeight).toBe(14);
    expect(outcome!.moments.every(({ count }) => count === 0)).toBe(true);
  });

  it.each(MODEL_CASES)("predicts the logits and the state of one step: $name", ({ spec }) => {
    const model = createLanguageModel(spec);
    const parameters = randomParameters(spec, 4);
    model.setParameters(parameters);
    model.setRunningStatistics(randomStatistics(spec));
    const { batch, states } = randomSegment(spec, 1, [3], 2);
    const { logits, state } = model.predictNext(batch.inputs, states[0]!);
    model.dispose();
    expect(logits.length).toBe(3 * spec.vocabularySize);
    // The loss of each target by the logits must be the oracle's.
    const lossSum = [0, 1, 2].reduce((sum, row) => {
      const ofRow = logits.subarray(row * spec.vocabularySize, (row + 1) * spec.vocabularySize);
      const total = ofRow.reduce((exps, logit) => exps + Math.exp(logit), 0);
      return sum + batch.weights[row]! * (Math.log(total) - ofRow[batch.targets[row]!]!);
    }, 0);
    const [expected] = oracleOf(spec, parameters, { batch, states }, undefined).run();
    expect(relativeError([lossSum], [expected!.lossSum])).toBeLessThan(1e-5);
    expect(relativeError(state, expected!.state)).toBeLessThan(1e-5);
  });

  it("starts from running means of 0 and variances of 1", () => {
    const spec = specOf({ normalization: "batch" });
    const model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 3));
    const segment = randomSegment(spec, 5, [3], 8);
    const before = model.evaluate(segment);
    // Two layers of 5 units.
    const units = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
    model.setRunningStatistics(Float64Array.from([...units, ...units]));
    expect(model.evaluate(segment)).toEqual(before);
    model.setRunningStatistics(randomStatistics(spec));
    expect(model.evaluate(segment)).not.toEqual(before);
    model.dispose();
  });
});
