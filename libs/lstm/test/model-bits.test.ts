/**
 * The heart of it: one batch of k leaves yields, bit for bit, what k separate calls yield. Then the
 * number of workers cannot change a result.
 */
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { createLanguageModel } from "../src/model/index.js";
import type { LanguageModel } from "../src/model/index.js";
import {
  backends,
  bitsOf,
  joinSegments,
  outcomeBits,
  randomParameters,
  randomSegment,
  specOf,
} from "./language-models.js";
import type { Segment } from "./language-models.js";

/** Per leaf: its outcome and the gradient of each tensor in the order they came, as bits. */
function trainBits(model: LanguageModel, segment: Segment): unknown[] {
  const gradients: [string, readonly Float32Array[]][] = [];
  const outcomes = model.computeGradients({
    ...segment,
    seed: 5,
    step: 8,
    onGradient: (name, perLeaf) => gradients.push([name, perLeaf]),
  });
  return outcomes.map((outcome, index) => ({
    outcome: outcomeBits(outcome),
    gradients: gradients.map(([name, perLeaf]) => [name, bitsOf(perLeaf[index]!)]),
  }));
}

const cases = fc.record({
  rowsOfLeaves: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 5 }),
  numSteps: fc.integer({ min: 1, max: 5 }),
  hiddenSize: fc.constantFrom(1, 4, 5, 12, 19, 33),
  numLayers: fc.constantFrom(1, 2),
  // Beyond 256 layer 0 reads embeddings, up to there a projected table.
  vocabularySize: fc.constantFrom(2, 13, 90, 260),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

describe.each(backends)("k leaves in one batch on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("yield the bits of k separate calls, in training and evaluation", () => {
    fc.assert(
      fc.property(cases, ({ rowsOfLeaves, numSteps, seed, ...sizes }) => {
        const spec = specOf({ ...sizes, embeddingSize: 6 });
        const model = createLanguageModel(spec);
        model.setParameters(randomParameters(spec, seed));
        const alone = rowsOfLeaves.map((numRows, leaf) =>
          randomSegment(spec, numSteps, [numRows], seed, leaf),
        );
        const together = joinSegments(alone);
        expect(trainBits(model, together)).toEqual(
          alone.flatMap((segment) => trainBits(model, segment)),
        );
        expect(model.evaluate(together).map(outcomeBits)).toEqual(
          alone.flatMap((segment) => model.evaluate(segment).map(outcomeBits)),
        );
        model.dispose();
      }),
      { numRuns: backend === "wasm" ? 40 : 15 },
    );
  });

  it("yield the bits of one-row leaves at a real size, with up to 67 rows in the batch", () => {
    const spec = specOf({ vocabularySize: 83, embeddingSize: 10, hiddenSize: 50, numLayers: 1 });
    const model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 1));
    const alone = [1, 64, 1, 1].map((numRows, leaf) => randomSegment(spec, 3, [numRows], 77, leaf));
    expect(trainBits(model, joinSegments(alone))).toEqual(
      alone.flatMap((segment) => trainBits(model, segment)),
    );
    model.dispose();
  });

  it("draw dropout masks by leaf and row, seed and step", () => {
    const spec = specOf({ dropout: 0.5 });
    const model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 2));
    const segment = randomSegment(spec, 4, [2], 6, 3);
    const lossWith = (seed: number, step: number, leaf: number): number => {
      const { batch, states } = segment;
      const [outcome] = model.computeGradients({
        batch: { ...batch, leaves: [{ leaf, firstRow: 0, numRows: 2 }] },
        states,
        seed,
        step,
        onGradient: () => undefined,
      });
      return outcome!.lossSum;
    };
    const first = lossWith(1, 1, 3);
    expect(lossWith(1, 1, 3)).toBe(first);
    expect(new Set([first, lossWith(2, 1, 3), lossWith(1, 2, 3), lossWith(1, 1, 4)]).size).toBe(4);
    model.dispose();
  });
});
