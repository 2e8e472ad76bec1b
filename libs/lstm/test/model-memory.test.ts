/** Who frees what: no public function leaves a tensor behind, whichever way it ends. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { memory } from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { LstmError, stateShape } from "../src/index.js";
import { createLanguageModel, generate } from "../src/model/index.js";
import type { LanguageModel } from "../src/model/index.js";
import { allBackends, randomParameters, randomSegment, specOf } from "./language-models.js";
import { MODEL_CASES } from "./model-specs.js";
import {
  expectCleanEndings,
  expectNothingLeft,
  expectParametersNeeded,
  heldModel,
} from "./support/call-endings.js";

// Beyond 256 symbols layer 0 reads embeddings, up to there a projected table: other tensors.
const cases = allBackends.flatMap((backend) => [7, 260].map((symbols) => ({ backend, symbols })));

describe.each(cases)("on $backend with $symbols symbols", ({ backend, symbols }) => {
  const spec = specOf({ vocabularySize: symbols });
  const allowed = `allowed are 0 to ${symbols - 1}`;
  const segment = randomSegment(spec, 40, [2, 0, 1], 1);
  const ignore = (): void => undefined;
  const training = { ...segment, seed: 1, step: 1, onGradient: ignore };
  let model: LanguageModel;

  beforeAll(() => selectBackend(backend));
  beforeEach(() => {
    const held = heldModel(() => createLanguageModel(spec), randomParameters(spec, 1));
    model = held.model;
    return held.expectEnd;
  });

  it("setParameters replaces the tensors of the version before", () => {
    const before = memory();
    model.setParameters(randomParameters(spec, 2));
    expect(memory()).toEqual(before);
    expect(() => model.setParameters(new Float32Array(3))).toThrow(
      expect.objectContaining({ code: "invalidParameters" }),
    );
    expect(memory()).toEqual(before);
  });

  it("setParameters copies: what the caller does to the buffer afterwards changes nothing", () => {
    const parameters = randomParameters(spec, 2);
    model.setParameters(parameters);
    const expected = model.evaluate(segment);
    parameters.fill(0);
    expect(model.evaluate(segment)).toEqual(expected);
  });

  it("computeGradients, evaluate, predictNext and generate leave nothing", () => {
    const zeroStates = new Float32Array(2 * stateShape(spec).valuesPerRow);
    const generating = (): ReturnType<typeof generate> =>
      generate(model, { prompt: [1], length: 5, temperature: 1, topP: 1, seed: 1 });
    expectNothingLeft(
      () => model.computeGradients(training),
      () => model.evaluate(segment),
      () => model.predictNext(Int32Array.of(1, 2), zeroStates),
      // Left off after a token, and to its end.
      () => generating().next(),
      () => expect([...generating()].length).toBe(5),
    );
  });

  it("report progress at least every 16 time steps, in both phases, over all layers", () => {
    const reports: [string, number][] = [];
    model.computeGradients({
      ...training,
      onProgress: (phase, timeSteps) => reports.push([phase, timeSteps]),
    });
    for (const phase of ["forward", "backward"]) {
      const counts = reports.filter(([of]) => of === phase).map(([, count]) => count);
      // Two layers of 40 time steps.
      expect(counts.at(-1)).toBe(80);
      for (const [index, count] of counts.entries()) {
        const before = counts[index - 1] ?? 0;
        expect(count - before).toBeGreaterThanOrEqual(0);
        expect(count - before).toBeLessThanOrEqual(16);
      }
    }
    expect(reports.findIndex(([phase]) => phase === "backward")).toBeGreaterThan(
      reports.findLastIndex(([phase]) => phase === "forward"),
    );
  });

  it("a call that is cancelled, or whose receiver throws, leaves nothing", () => {
    const numReports = expectCleanEndings((call) =>
      model.computeGradients({ ...training, ...call }),
    );
    expect(numReports).toBeGreaterThan(10);
    expectNothingLeft(() =>
      expect(() => model.evaluate({ ...segment, isCancelled: () => true })).toThrow(LstmError),
    );
  });

  it("a batch that contradicts itself is refused, naming what is wrong, and nothing is left", () => {
    const before = memory();
    const { batch, states } = segment;
    const last = states.length - 1;
    const weights = (at: number, value: number): Float32Array => batch.weights.with(at, value);
    const refused: [string, Partial<typeof batch>, readonly Float32Array[]][] = [
      ["numSteps is 0, expected a whole number from 1", { numSteps: 0 }, states],
      ["inputs has 3 values, expected 40 steps × 3 rows", { inputs: new Int32Array(3) }, states],
      [
        `inputs[7] is token ${symbols + 2}, ${allowed}`,
        { inputs: batch.inputs.with(7, symbols + 2) },
        states,
      ],
      [`targets[0] is token -1, ${allowed}`, { targets: batch.targets.with(0, -1) }, states],
      [
        "numRows is 1.5, expected a whole number from 0",
        // 40 steps of one row and a half are 60 positions.
        {
          numRows: 1.5,
          inputs: new Int32Array(60),
          targets: new Int32Array(60),
          weights: new Float32Array(60),
        },
        states,
      ],
      [
        "leaf 0 has 0.5 rows from 0, expected a whole number from row 0",
        { leaves: batch.leaves.with(0, { leaf: 0, firstRow: 0, numRows: 0.5 }) },
        states.with(0, new Float32Array(10)),
      ],
      ["weights[2] is NaN, expected a number from 0", { weights: weights(2, NaN) }, states],
      ["weights[3] is -1, expected a number from 0", { weights: weights(3, -1) }, states],
      [
        "weights[4] is Infinity, expected a number from 0",
        { weights: weights(4, Infinity) },
        states,
      ],
      ["2 carried states for 3 leaves", {}, states.slice(1)],
      ["leaves cover 2 of 3 rows", { leaves: batch.leaves.slice(0, 2) }, states.slice(0, 2)],
      [
        "leaf 2 has 1 rows from 1, expected a whole number from row 2",
        { leaves: batch.leaves.with(last, { leaf: 2, firstRow: 1, numRows: 1 }) },
        states,
      ],
      [
        "carried state of leaf 2 has 4 values, expected 1 rows × 20",
        {},
        states.with(last, new Float32Array(4)),
      ],
    ];
    for (const [message, changes, wrongStates] of refused) {
      const options = { batch: { ...batch, ...changes }, states: wrongStates };
      const error = new LstmError("invalidBatch", `token batch: ${message}`);
      expect(() => model.computeGradients({ ...training, ...options })).toThrow(error);
      expect(() => model.evaluate(options)).toThrow(error);
      expect(memory()).toEqual(before);
    }
    expect(() => model.predictNext(Int32Array.of(symbols), new Float32Array(20))).toThrow(
      `tokens[0] is token ${symbols}, ${allowed}`,
    );
    expect(memory()).toEqual(before);
  });

  it("a model without parameters says so", () => {
    model.dispose();
    expectParametersNeeded(
      () => model.computeGradients(training),
      () => model.evaluate(segment),
    );
  });

  it("a batch whose leaves are all empty has zero gradients for every tensor", () => {
    const empty = randomSegment(spec, 3, [0, 0], 1);
    const gradients = new Map<string, readonly Float32Array[]>();
    const names: string[] = [];
    model.computeGradients({ ...training, onGradient: (name) => names.push(name) });
    const outcomes = model.computeGradients({
      ...training,
      ...empty,
      onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
    });
    const nothing = { lossSum: 0, lossWeight: 0, state: new Float32Array(0), moments: [] };
    expect(outcomes).toEqual([
      { leaf: 0, ...nothing },
      { leaf: 1, ...nothing },
    ]);
    expect([...gradients.keys()]).toEqual(names);
    for (const { name, size } of model.layout.tensors) {
      expect(gradients.get(name)).toEqual([new Float32Array(size), new Float32Array(size)]);
    }
  });

  it("gradients come last layer first", () => {
    const names: string[] = [];
    model.computeGradients({ ...training, onGradient: (name) => names.push(name) });
    expect(names).toEqual([
      "head.kernel",
      "head.bias",
      "layers.1.kernel",
      "layers.1.bias",
      "layers.0.kernel",
      "layers.0.bias",
      "embedding.table",
    ]);
  });
});

describe.each(allBackends)("on %s, whatever the model is made of", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(MODEL_CASES)("nothing is left, however a call ends: $name", ({ spec }) => {
    const { model, expectEnd } = heldModel(
      () => createLanguageModel(spec),
      randomParameters(spec, 1),
    );
    const segment = randomSegment(spec, 3, [2, 0, 1], 1);
    const zeroStates = new Float32Array(2 * stateShape(spec).valuesPerRow);
    expectCleanEndings((call) => model.computeGradients({ ...segment, seed: 1, step: 1, ...call }));
    expectNothingLeft(
      () => model.evaluate(segment),
      () => model.predictNext(Int32Array.of(1, 2), zeroStates),
    );
    expectEnd();
  });

  it.each(MODEL_CASES)("gradients come last layer first, rows or none: $name", ({ spec }) => {
    const model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 1));
    const namesWith = (rowsOfLeaves: readonly number[]): string[] => {
      const names: string[] = [];
      const segment = randomSegment(spec, 2, rowsOfLeaves, 1);
      const onGradient = (name: string): number => names.push(name);
      model.computeGradients({ ...segment, seed: 1, step: 1, onGradient });
      return names;
    };
    const names = namesWith([1, 2]);
    expect(namesWith([0, 0])).toEqual(names);
    // Rooms from last to first, the tensors of a room in the layout's order.
    const roomOf = (name: string): string => name.slice(0, name.lastIndexOf("."));
    const inLayout = model.layout.tensors.map(({ name }) => name);
    const rooms = [...new Set(inLayout.map(roomOf))].reverse();
    expect(names).toEqual(
      rooms.flatMap((room) => inLayout.filter((name) => roomOf(name) === room)),
    );
    model.dispose();
  });
});
