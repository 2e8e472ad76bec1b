/**
 * What an observer sees of ∂L/∂h_t, through all later time steps, against the float64 oracle: each h_t is
 * moved in the middle of the forward pass, and the central differences of the objective are taken.
 */
import { selectBackend } from "@ostinato/kernels/tensor";
import { describe, expect, it } from "vitest";

import { cellSizes } from "../src/layout/index.js";
import { recordLayers } from "../src/model/index.js";
import type { ObservedLayer } from "../src/model/index.js";
import { backends, randomValues, relativeError } from "./language-models.js";
import { MODEL_CASES } from "./model-specs.js";
import { centralDifferences } from "./oracle/finite-differences.js";
import { OracleMasks } from "./oracle/masks.js";
import { resultsOf, RowValues, valuesOf } from "./oracle/row-values.js";
import { runStack as runOracle } from "./oracle/stack.js";
import { OracleTensors } from "./oracle/tensors.js";
import { randomRow, runStack, stackLayout } from "./recurrent-stacks.js";
import type { StackModel } from "./recurrent-stacks.js";

const FLOOR = 0.01;
const LENGTHS = [4, 1, 3];
const training = { seed: 3, step: 14 };

async function expectHiddenGradients(model: StackModel, seed: number): Promise<void> {
  const { tensors, size } = stackLayout(model);
  const parameters = randomValues(seed)(size, 0.8);
  const rows = LENGTHS.map((length, row) => randomRow(model, length, seed + row));
  const seen: (readonly ObservedLayer[])[] = [];
  for (const backend of backends) {
    await selectBackend(backend);
    const recorder = recordLayers();
    const leaves = [{ leaf: 0, rows }];
    runStack({ model, parameters, leaves, training, observer: recorder.observer });
    seen.push(recorder.layers());
  }
  const { outputSize } = cellSizes(model.spec);
  const names = seen[0]!.map(({ name }) => name);
  expect(names).toHaveLength(model.spec.numLayers * (model.bidirectional ? 2 : 1));
  const places = names.flatMap((name) =>
    rows.flatMap(({ inputs }, row) => inputs.map((_, t) => ({ name, row, t }))),
  );
  const moved = new Float64Array(places.length * outputSize);
  const indices = new Map(places.map(({ name, row, t }, n) => [`${name} ${row} ${t}`, n]));
  const nudge = (name: string, row: number, t: number): number[] => {
    const start = indices.get(`${name} ${row} ${t}`)! * outputSize;
    return [...moved.subarray(start, start + outputSize)];
  };
  const oracle = new OracleTensors(tensors, parameters);
  const values = new RowValues(rows);
  const masks = new OracleMasks(training);
  const running = (): never => expect.fail("running statistics are for evaluation");
  const objective = (): readonly number[] => {
    const result = runOracle({
      ...{ ...model, tensors: oracle, masks, running, leaf: 0, nudge },
      ...values.read(),
    });
    const ofRow = ({ gradient, finalGradient }: (typeof rows)[number], row: number): number => {
      const arriving = valuesOf(gradient, finalGradient);
      return resultsOf(result, row).reduce((sum, value, k) => sum + value * arriving[k]!, 0);
    };
    return [rows.reduce((sum, row, r) => sum + ofRow(row, r), 0)];
  };
  const [wanted] = centralDifferences(moved, [...moved.keys()], objective);
  for (const layers of seen) {
    const found = places.flatMap(({ name, row, t }) => {
      const layer = layers.find((candidate) => candidate.name === name)!;
      const start = (t * layer.numRows + row) * outputSize;
      return [...layer.hiddenGradients.subarray(start, start + outputSize)];
    });
    expect(relativeError(found, wanted!, FLOOR)).toBeLessThan(1e-4);
  }
}

describe("the gradients of the hidden states that an observer sees", () => {
  const shape = { inputSize: 4, prefix: "", firstMaskLayer: 0 };

  it.each(MODEL_CASES)("are those of the formulas: $name", async ({ spec }) => {
    await expectHiddenGradients({ spec, bidirectional: true, ...shape }, 7);
  });

  it("are those of the formulas in one direction", async () => {
    const [{ spec }] = MODEL_CASES as [(typeof MODEL_CASES)[number]];
    await expectHiddenGradients({ spec, bidirectional: false, ...shape }, 5);
  });
});
