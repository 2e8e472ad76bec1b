/** Against PyTorch, by the fixtures of tools/make-layer-fixtures.py and tools/make-stack-fixtures.py. */
import { readFileSync } from "node:fs";

import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import {
  compileLanguageModelSpec,
  initialStatistics,
  statisticsLayout,
  updateStatistics,
} from "../src/index.js";
import { createLanguageModel } from "../src/model/index.js";
import type { LanguageModel, LeafOutcome, TokenBatch } from "../src/model/index.js";
import { backends, flatten, relativeError } from "./language-models.js";
import { runStack, stackLayout } from "./recurrent-stacks.js";
import type { RowState, StackRow } from "./recurrent-stacks.js";

type Tensors = Readonly<Record<string, readonly number[]>>;

interface Batch {
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
  readonly weights: readonly number[];
  readonly state: readonly number[];
  readonly finalState: readonly number[];
  readonly lossSum: number;
  readonly gradients: Tensors;
}

interface Model {
  readonly spec: unknown;
  readonly parameters: Tensors;
  readonly numSteps: number;
  readonly numRows: number;
}

interface LayerFixtures {
  readonly models: Readonly<Record<string, Model & Batch>>;
  readonly batchNormalization: Model & {
    readonly batches: readonly (Batch & {
      readonly runningStatistics: readonly number[];
      readonly evaluation: Pick<Batch, "lossSum" | "finalState">;
    })[];
  };
}

/** h and, of an LSTM, c: each [layer · 2 + direction][row][size]. */
type States = readonly (readonly number[])[];

interface Stack {
  readonly spec: unknown;
  readonly inputSize: number;
  readonly lengths: readonly number[];
  readonly parameters: Tensors;
  readonly inputs: readonly number[];
  readonly initial: States;
  readonly outputs: readonly number[];
  readonly final: States;
  readonly outputGradient: readonly number[];
  readonly finalGradient: States;
  readonly inputGradient: readonly number[];
  readonly initialGradient: States;
  readonly gradients: Tensors;
}

function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8"));
}

const { models, batchNormalization } = readFixture("layers") as LayerFixtures;
const { stacks } = readFixture("stacks") as { stacks: Readonly<Record<string, Stack>> };

function tokenBatch({ numSteps, numRows }: Model, batch: Batch): TokenBatch {
  return {
    numSteps,
    numRows,
    inputs: Int32Array.from(batch.inputs),
    targets: Int32Array.from(batch.targets),
    weights: Float32Array.from(batch.weights),
    leaves: [{ leaf: 0, firstRow: 0, numRows }],
  };
}

/** Its loss, state and gradients must be PyTorch's. */
function train(model: LanguageModel, fixture: Model, batch: Batch): LeafOutcome {
  const gradients = new Map<string, readonly Float32Array[]>();
  const [outcome] = model.computeGradients({
    batch: tokenBatch(fixture, batch),
    states: [Float32Array.from(batch.state)],
    seed: 0,
    step: 0,
    onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
  });
  expect(relativeError([outcome!.lossSum], [batch.lossSum])).toBeLessThan(1e-5);
  expect(relativeError(outcome!.state, batch.finalState)).toBeLessThan(1e-5);
  expectTensors(gradients, batch.gradients);
  return outcome!;
}

function expectTensors(
  actual: ReadonlyMap<string, readonly Float32Array[]>,
  expected: Tensors,
): void {
  expect([...actual.keys()].sort()).toEqual(Object.keys(expected).sort());
  for (const [name, wanted] of Object.entries(expected)) {
    expect(relativeError(actual.get(name)![0]!, wanted), name).toBeLessThan(1e-4);
  }
}

describe.each(backends)("on %s, PyTorch's results", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(Object.entries(models))("are those of a language model: %s", (_, fixture) => {
    const model = createLanguageModel(compileLanguageModelSpec(fixture.spec));
    model.setParameters(flatten(model.layout, fixture.parameters));
    train(model, fixture, fixture);
    model.dispose();
  });

  it("are those of batch normalization: running statistics of three steps, and evaluation with them", () => {
    const spec = compileLanguageModelSpec(batchNormalization.spec);
    const model = createLanguageModel(spec);
    model.setParameters(flatten(model.layout, batchNormalization.parameters));
    const layout = statisticsLayout(spec);
    let statistics = initialStatistics(layout);
    expect(batchNormalization.batches.length).toBe(3);
    for (const batch of batchNormalization.batches) {
      const { moments } = train(model, batchNormalization, batch);
      statistics = updateStatistics(layout, statistics, moments);
      expect(relativeError(statistics, batch.runningStatistics)).toBeLessThan(1e-5);
      model.setRunningStatistics(statistics);
      const [evaluated] = model.evaluate({
        batch: tokenBatch(batchNormalization, batch),
        states: [Float32Array.from(batch.state)],
      });
      expect(relativeError([evaluated!.lossSum], [batch.evaluation.lossSum])).toBeLessThan(1e-5);
      expect(relativeError(evaluated!.state, batch.evaluation.finalState)).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  it.each(Object.entries(stacks))(
    "are those of packed sequences in two directions: %s",
    (_, fixture) => {
      const { spec: raw, inputSize, lengths } = fixture;
      const spec = compileLanguageModelSpec(raw);
      const model = { spec, inputSize, bidirectional: true, prefix: "", firstMaskLayer: 0 };
      const parameters = flatten(stackLayout(model), fixture.parameters);
      const rows = lengths.map((length, row): StackRow => ({
        inputs: stepsOf(fixture.inputs, lengths, row, length),
        initial: statesOf(fixture.initial, spec.numLayers, lengths.length, row),
        gradient: stepsOf(fixture.outputGradient, lengths, row, length),
        finalGradient: statesOf(fixture.finalGradient, spec.numLayers, lengths.length, row),
      }));
      const training = { seed: 0, step: 0 };
      const result = runStack({ model, parameters, training, leaves: [{ leaf: 0, rows }] });
      expectTensors(result.gradients, fixture.gradients);
      for (const [row, actual] of result.rows[0]!.entries()) {
        const steps = (values: readonly number[]): number[] =>
          flat(stepsOf(values, lengths, row, lengths[row]!));
        const states = (values: States): number[] =>
          flatStates(statesOf(values, spec.numLayers, lengths.length, row));
        const error = {
          outputs: relativeError(flat(actual.outputs), steps(fixture.outputs)),
          final: relativeError(flatStates(actual.final), states(fixture.final)),
          inputGradient: relativeError(flat(actual.inputGradient), steps(fixture.inputGradient)),
          initialGradient: relativeError(
            flatStates(actual.initialGradient),
            states(fixture.initialGradient),
          ),
        };
        for (const [what, ofWhat] of Object.entries(error)) {
          expect(ofWhat, `${what} of row ${row}`).toBeLessThan(1e-4);
        }
      }
    },
  );
});

/** [time][unit] of one row's own steps. */
function stepsOf(
  values: readonly number[],
  lengths: readonly number[],
  row: number,
  length: number,
): Float32Array[] {
  const size = values.length / (Math.max(...lengths) * lengths.length);
  return Array.from({ length }, (_, t) => {
    const start = (t * lengths.length + row) * size;
    return Float32Array.from(values.slice(start, start + size));
  });
}

function statesOf(states: States, numLayers: number, numRows: number, row: number): RowState[][] {
  return Array.from({ length: numLayers }, (_, layer) =>
    [0, 1].map((direction) => {
      const part = (values: readonly number[] = []): Float32Array => {
        const size = values.length / (2 * numLayers * numRows);
        const start = ((2 * layer + direction) * numRows + row) * size;
        return Float32Array.from(values.slice(start, start + size));
      };
      return { h: part(states[0]), c: part(states[1]) };
    }),
  );
}

const flat = (steps: readonly Float32Array[]): number[] => steps.flatMap((x) => [...x]);
const flatStates = (states: readonly (readonly RowState[])[]): number[] =>
  states.flat().flatMap(({ h, c }) => [...h, ...c]);
