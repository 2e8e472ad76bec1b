/** Against PyTorch, by the fixtures of libs/lstm/tools/make-model-fixtures.py. */
import { readFileSync } from "node:fs";

import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import {
  compileLanguageModelSpec,
  compileOptimizerSpec,
  createParameterUpdate,
  stateShape,
} from "../src/index.js";
import { createLanguageModel } from "../src/model/index.js";
import { backends, flatten, relativeError } from "./language-models.js";

type Tensors = Readonly<Record<string, readonly number[]>>;

interface BatchFixture {
  readonly spec: unknown;
  readonly parameters: Tensors;
  readonly numSteps: number;
  readonly numRows: number;
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
  readonly weights: readonly number[];
  readonly state: readonly number[];
  readonly finalState: readonly number[];
  readonly lossSum: number;
  readonly gradients: Tensors;
}

interface TrainingFixture {
  readonly spec: unknown;
  readonly parameters: Tensors;
  readonly numSteps: number;
  readonly numRows: number;
  readonly tokens: readonly number[];
  readonly learningRate: number;
  readonly maxNorm: number;
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
}

function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8"));
}

describe.each(backends)("a language model on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(["model-1-layer", "model-2-layers"])(
    "has PyTorch's loss, state and gradients for %s",
    (name) => {
      const fixture = readFixture(name) as BatchFixture;
      const { numSteps, numRows } = fixture;
      const model = createLanguageModel(compileLanguageModelSpec(fixture.spec));
      model.setParameters(flatten(model.layout, fixture.parameters));
      const gradients = new Map<string, readonly Float32Array[]>();
      const outcomes = model.computeGradients({
        batch: {
          numSteps,
          numRows,
          inputs: Int32Array.from(fixture.inputs),
          targets: Int32Array.from(fixture.targets),
          weights: Float32Array.from(fixture.weights),
          leaves: [{ leaf: 0, firstRow: 0, numRows }],
        },
        states: [Float32Array.from(fixture.state)],
        seed: 0,
        step: 0,
        onGradient: (tensor, perLeaf) => gradients.set(tensor, perLeaf),
      });
      model.dispose();
      expect(outcomes.length).toBe(1);
      expect(relativeError([outcomes[0]!.lossSum], [fixture.lossSum])).toBeLessThan(1e-5);
      expect(relativeError(outcomes[0]!.state, fixture.finalState)).toBeLessThan(1e-5);
      expect([...gradients.keys()].sort()).toEqual(Object.keys(fixture.gradients).sort());
      for (const [tensor, expected] of Object.entries(fixture.gradients)) {
        const [actual] = gradients.get(tensor)!;
        expect(relativeError(actual!, expected), tensor).toBeLessThan(1e-4);
      }
    },
  );

  // One row, none, two rows, one row: what one worker has at once or several have in parts.
  it("trains like PyTorch, in four uneven leaves: 50 steps of Adam with clipping and carried state, each loss within 1e-3", () => {
    const fixture = readFixture("training-adam") as TrainingFixture;
    const { numSteps, numRows, tokens, learningRate, maxNorm } = fixture;
    const spec = compileLanguageModelSpec(fixture.spec);
    const model = createLanguageModel(spec);
    const update = createParameterUpdate({
      optimizer: compileOptimizerSpec({ kind: "adam", ...fixture.adam }),
      clipping: { kind: "globalNorm", maxNorm },
      gradientNoise: null,
      layout: model.layout,
      seed: 0,
    });
    const state = update.initialState();
    const offsets = new Map(model.layout.tensors.map(({ name, offset }) => [name, offset]));
    const leaves = [
      { leaf: 0, firstRow: 0, numRows: 1 },
      { leaf: 1, firstRow: 1, numRows: 0 },
      { leaf: 2, firstRow: 1, numRows: 2 },
      { leaf: 3, firstRow: 3, numRows: 1 },
    ];
    const size = numSteps * numRows;
    const { valuesPerRow } = stateShape(spec);
    let parameters = flatten(model.layout, fixture.parameters);
    let states = leaves.map((leaf) => new Float32Array(valuesPerRow * leaf.numRows));
    let numClipped = 0;
    for (const [step, expectedLoss] of fixture.losses.entries()) {
      model.setParameters(parameters);
      const gradients = leaves.map(() => new Float32Array(model.layout.size));
      const outcomes = model.computeGradients({
        batch: {
          numSteps,
          numRows,
          inputs: Int32Array.from(tokens.slice(step * size, (step + 1) * size)),
          targets: Int32Array.from(
            tokens.slice(step * size + numRows, (step + 1) * size + numRows),
          ),
          weights: new Float32Array(size).fill(1),
          leaves,
        },
        states,
        seed: 0,
        step,
        onGradient: (name, perLeaf) => {
          for (const [leaf, values] of perLeaf.entries()) {
            gradients[leaf]!.set(values, offsets.get(name));
          }
        },
      });
      states = outcomes.map(({ state }) => Float32Array.from(state));
      // From here on as the coordinator does it.
      const lossSum = outcomes.reduce((sum, outcome) => sum + outcome.lossSum, 0);
      const lossWeight = outcomes.reduce((sum, outcome) => sum + outcome.lossWeight, 0);
      expect(relativeError([lossSum / lossWeight], [expectedLoss]), `loss ${step}`).toBeLessThan(
        1e-3,
      );
      const gradient = sumLeavesInTreeOrder(gradients);
      const out = new Float32Array(model.layout.size);
      const { gradientNorm, clipped } = update.apply({
        ...{ parameters, gradient, lossWeight, learningRate, step: step + 1, state, out },
      });
      expect(relativeError([gradientNorm], [fixture.gradientNorms[step]!])).toBeLessThan(1e-2);
      if (clipped) numClipped++;
      parameters = out;
    }
    model.dispose();
    // The fixture must exercise both: clipped and unclipped steps.
    expect(numClipped).toBeGreaterThan(0);
    expect(numClipped).toBeLessThan(fixture.losses.length);
  });
});
