/**
 * Recurrent stacks in one and in two directions, over rows of different lengths, against the float64
 * oracle: outputs and final states by its forward pass; gradients of parameters, inputs and initial
 * states by its central differences, with gradients that arrive at outputs and at final states.
 */
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { backends, randomValues, relativeError } from "./language-models.js";
import { anySpec, MODEL_CASES } from "./model-specs.js";
import { centralDifferences } from "./oracle/finite-differences.js";
import { OracleMasks } from "./oracle/masks.js";
import { resultsOf, RowValues, valuesOf } from "./oracle/row-values.js";
import { runStack as runOracle } from "./oracle/stack.js";
import { OracleTensors } from "./oracle/tensors.js";
import { randomRow, runStack, stackLayout } from "./recurrent-stacks.js";
import type { StackModel, StackRunResult } from "./recurrent-stacks.js";

/** Of gradients: what is sums to nothing is as exact as its terms. */
const FLOOR = 0.01;

/** About as many places as `most`, spread over all. */
function picked(first: number, size: number, most: number): number[] {
  const stride = Math.max(1, Math.ceil(size / most));
  return Array.from({ length: Math.ceil(size / stride) }, (_, k) => first + k * stride);
}

/** On each backend, since it is the oracle that takes the time. */
async function expectFormulas(
  model: StackModel,
  lengthsOfLeaves: readonly (readonly number[])[],
  seed: number,
  most: number,
): Promise<void> {
  const { tensors, size } = stackLayout(model);
  const parameters = randomValues(seed)(size, 0.8);
  const training = { seed: 3, step: 14 };
  const leaves = lengthsOfLeaves.map((lengths, leaf) => ({
    leaf,
    rows: lengths.map((length, row) => randomRow(model, length, seed + 100 * leaf + row)),
  }));
  const all: StackRunResult[] = [];
  for (const backend of backends) {
    await selectBackend(backend);
    all.push(runStack({ model, parameters, leaves, training }));
  }

  for (const [index, { leaf, rows }] of leaves.entries()) {
    const oracle = new OracleTensors(tensors, parameters);
    const values = new RowValues(rows);
    const masks = new OracleMasks(training);
    const running = (): never => expect.fail("running statistics are for evaluation");
    const run = (): ReturnType<typeof runOracle> =>
      runOracle({ ...model, tensors: oracle, masks, running, leaf, ...values.read() });
    const results = run();
    for (const actual of all) {
      for (const [row, { outputs, final }] of actual.rows[index]!.entries()) {
        const error = relativeError(valuesOf(outputs, final), resultsOf(results, row));
        expect(error, `row ${row}`).toBeLessThan(1e-5);
      }
    }
    const objective = (): readonly number[] => {
      const result = run();
      const ofRow = ({ gradient, finalGradient }: (typeof rows)[number], row: number): number => {
        const arriving = valuesOf(gradient, finalGradient);
        return resultsOf(result, row).reduce((sum, value, k) => sum + value * arriving[k]!, 0);
      };
      return [rows.reduce((sum, row, r) => sum + ofRow(row, r), 0)];
    };
    for (const { name, offset, size: ofTensor } of tensors) {
      const places = picked(offset, ofTensor, most);
      const [wanted] = centralDifferences(oracle.flat, places, objective);
      for (const { gradients } of all) {
        const own = places.map((k) => gradients.get(name)![index]![k - offset]!);
        expect(relativeError(own, wanted!, FLOOR), `${name} of leaf ${leaf}`).toBeLessThan(1e-4);
      }
    }
    const places = picked(0, values.flat.length, 3 * most);
    const [wanted] = centralDifferences(values.flat, places, objective);
    for (const actual of all) {
      const ofRows = actual.rows[index]!.flatMap(({ inputGradient, initialGradient }) =>
        valuesOf(inputGradient, initialGradient),
      );
      const own = places.map((k) => ofRows[k]!);
      expect(relativeError(own, wanted!, FLOOR), "inputs and initial states").toBeLessThan(1e-4);
    }
  }
}

const shape = { inputSize: 4, prefix: "encoder.", firstMaskLayer: 2 };

const anyCase = fc.record({
  spec: anySpec(fc.integer({ min: 4, max: 5 })),
  bidirectional: fc.boolean(),
  // Rows of the same length in all leaves are a batch without padding.
  lengthsOfLeaves: fc.oneof(
    fc.constantFrom(
      [
        [3, 3],
        [3, 3, 3],
      ],
      [[4, 4]],
    ),
    fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 2,
    }),
  ),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

describe("a recurrent stack", () => {
  it.each(MODEL_CASES)("has the formulas' results in two directions: $name", async ({ spec }) => {
    await expectFormulas({ spec, bidirectional: true, ...shape }, [[4, 1, 3]], 7, 8);
  });

  it("has them for any combination of options and lengths", async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ spec, bidirectional, lengthsOfLeaves, seed }) => {
        await expectFormulas({ spec, bidirectional, ...shape }, lengthsOfLeaves, seed, 4);
      }),
      // A seed, since a value close to a bend or a variance close to zero is found sooner or later.
      { numRuns: 30, seed: 1, endOnFailure: true },
    );
  });
});
