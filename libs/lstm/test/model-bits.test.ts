/**
 * The heart of it: one batch of k leaves yields, bit for bit, what k separate calls yield. Then the
 * number of workers cannot change a result.
 */
import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { mergeMomentsInTreeOrder } from "../src/index.js";
import type { LanguageModelSpec, Moments } from "../src/index.js";
import { createLanguageModel } from "../src/model/index.js";
import type { LanguageModel, LeafOutcome } from "../src/model/index.js";
import {
  allBackends,
  bitsOf,
  joinSegments,
  momentBits,
  outcomeBits,
  randomParameters,
  randomSegment,
  specOf,
} from "./language-models.js";
import type { Segment } from "./language-models.js";
import { anySpec, MODEL_CASES } from "./model-specs.js";
import { divisionsOf, expectNodeSums, flatGradients } from "./support/node-gradients.js";
import type { NodesCall } from "./support/node-gradients.js";

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

/** What one or several leaves give the coordinator. */
interface Subtree {
  /** Flat, in the model's layout. */
  readonly gradient: Float32Array;
  readonly moments: readonly Moments[];
}

const gradientsOf =
  (model: LanguageModel, segment: Segment) =>
  (call: NodesCall): readonly LeafOutcome[] =>
    model.computeGradients({ ...segment, seed: 5, step: 8, ...call });

const leafGradients = (model: LanguageModel, segment: Segment): readonly Float32Array[] =>
  flatGradients(model.layout, segment.states.length, gradientsOf(model, segment)).gradients;

/** What a worker uploads that holds these leaves, all of those below one node. */
function subtreeOf(model: LanguageModel, segment: Segment): Subtree {
  const compute = gradientsOf(model, segment);
  const { gradients, outcomes } = flatGradients(model.layout, 1, compute, "root");
  const moments = outcomes[0]!.moments.map((_, k) =>
    mergeMomentsInTreeOrder(outcomes.map((leaf) => leaf.moments[k]!)),
  );
  return { gradient: gradients[0]!, moments };
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

const anyCase = fc.record({
  spec: anySpec(fc.integer({ min: 1, max: 9 })),
  rowsOfLeaves: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 4 }),
  numSteps: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

/** Leaves in one batch and in a call each, in training and evaluation. */
function expectBitsOfSeparateCalls(
  spec: LanguageModelSpec,
  rowsOfLeaves: readonly number[],
  numSteps: number,
  seed: number,
): void {
  const model = createLanguageModel(spec);
  model.setParameters(randomParameters(spec, seed));
  const alone = rowsOfLeaves.map((numRows, leaf) =>
    randomSegment(spec, numSteps, [numRows], seed, leaf),
  );
  const together = joinSegments(alone);
  expect(trainBits(model, together)).toEqual(alone.flatMap((segment) => trainBits(model, segment)));
  expect(model.evaluate(together).map(outcomeBits)).toEqual(
    alone.flatMap((segment) => model.evaluate(segment).map(outcomeBits)),
  );
  model.dispose();
}

/** Leaves summed by the model to nodes, and by themselves. */
function expectSumsAtNodes(
  spec: LanguageModelSpec,
  rowsOfLeaves: readonly number[],
  numSteps: number,
  seed: number,
): void {
  const model = createLanguageModel(spec);
  model.setParameters(randomParameters(spec, seed));
  const segment = randomSegment(spec, numSteps, rowsOfLeaves, seed);
  const divisions = divisionsOf(rowsOfLeaves.length);
  const division = divisions[seed % divisions.length]!;
  const perLeaf = leafGradients(model, segment);
  expectNodeSums(model.layout, perLeaf, division, gradientsOf(model, segment));
  model.dispose();
}

describe.each(allBackends)("k leaves in one batch on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("yield the bits of k separate calls, in training and evaluation", () => {
    fc.assert(
      fc.property(cases, ({ rowsOfLeaves, numSteps, seed, ...sizes }) => {
        const spec = specOf({ ...sizes, embeddingSize: 6 });
        expectBitsOfSeparateCalls(spec, rowsOfLeaves, numSteps, seed);
      }),
      { numRuns: backend === "wasm" ? 40 : 15 },
    );
  });

  it.each(MODEL_CASES)("yield them with $name", ({ spec }) => {
    expectBitsOfSeparateCalls(spec, [2, 0, 1, 3], 3, 8);
  });

  it("yield them and their sums at nodes with any combination of options", () => {
    fc.assert(
      fc.property(anyCase, ({ spec, rowsOfLeaves, numSteps, seed }) => {
        expectBitsOfSeparateCalls(spec, rowsOfLeaves, numSteps, seed);
        expectSumsAtNodes(spec, rowsOfLeaves, numSteps, seed);
      }),
      { numRuns: 40 },
    );
  });

  it.each(MODEL_CASES)(
    "have one sum along the gradient tree with $name, whoever holds which subtree",
    ({ spec }) => {
      const model = createLanguageModel(spec);
      model.setParameters(randomParameters(spec, 1));
      // All with rows: an empty one would leave an order that any sum has.
      const alone = [2, 1, 3, 2].map((numRows, leaf) =>
        randomSegment(spec, 3, [numRows], 21, leaf),
      );
      const subtree = (first: number, count: number): Subtree =>
        subtreeOf(model, joinSegments(alone.slice(first, first + count)));
      const joined = (parts: readonly Subtree[]): unknown => ({
        gradient: bitsOf(sumLeavesInTreeOrder(parts.map(({ gradient }) => gradient))),
        moments: parts[0]!.moments.map((_, k) =>
          momentBits(mergeMomentsInTreeOrder(parts.map(({ moments }) => moments[k]!))),
        ),
      });
      const whole = joined([subtree(0, 4)]);
      expect(joined([subtree(0, 2), subtree(2, 2)])).toEqual(whole);
      const leaves = [0, 1, 2, 3].map((leaf) => subtree(leaf, 1));
      expect(joined(leaves)).toEqual(whole);
      const perLeaf = leaves.map(({ gradient }) => gradient);
      const all = gradientsOf(model, joinSegments(alone));
      for (const spans of [
        [0, 2].map((first) => ({ first, count: 2 })),
        [0, 1, 3].map((first) => ({ first, count: first === 1 ? 2 : 1 })),
      ]) {
        expectNodeSums(model.layout, perLeaf, { nodes: spans, spans }, all);
      }
      model.dispose();
    },
  );

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

  it.each(MODEL_CASES)(
    "keep their bits beside a leaf that is not finite, with $name",
    ({ spec }) => {
      const model = createLanguageModel(spec);
      model.setParameters(randomParameters(spec, 3));
      const [first, middle, last] = [0, 1, 2].map((leaf) => randomSegment(spec, 4, [2], 6, leaf));
      const spoilt = { ...middle!, states: [middle!.states[0]!.map(() => NaN)] };
      const together = trainBits(model, joinSegments([first!, spoilt, last!]));
      expect(together[0]).toEqual(trainBits(model, first!)[0]);
      expect(together[2]).toEqual(trainBits(model, last!)[0]);
      model.dispose();
    },
  );

  it.each([13, 260])(
    "keep their bits beside a leaf whose numbers are not finite, with %d symbols",
    (vocabularySize) => {
      const spec = specOf({ vocabularySize });
      const model = createLanguageModel(spec);
      model.setParameters(randomParameters(spec, 3));
      const [first, middle, last] = [0, 1, 2].map((leaf) => randomSegment(spec, 4, [2], 6, leaf));
      const spoilt = {
        ...middle!,
        states: [middle!.states[0]!.map((_, k) => [NaN, -Infinity][k % 2]!)],
      };
      const together = trainBits(model, joinSegments([first!, spoilt, last!]));
      expect(together[0]).toEqual(trainBits(model, first!)[0]);
      expect(together[2]).toEqual(trainBits(model, last!)[0]);
      expect(together[1]).toMatchObject({ outcome: { lossSum: NaN } });
      model.dispose();
    },
  );

  it("draw a dropout mask for each row, whatever the other rows of its leaf", () => {
    const spec = specOf({ dropout: 0.5, hiddenSize: 8 });
    const { hiddenSize } = spec;
    const model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 2));
    const [numSteps, tokens] = [4, [1, 5, 2, 0]];
    /** The layers' hidden states after the last step, by row; all rows read the same tokens. */
    const hiddenStates = (numRows: number): string[][] => {
      const repeated = Int32Array.from(
        tokens.flatMap((token) => Array<number>(numRows).fill(token)),
      );
      const [outcome] = model.computeGradients({
        batch: {
          numSteps,
          numRows,
          inputs: repeated,
          targets: repeated,
          weights: new Float32Array(numSteps * numRows).fill(1),
          leaves: [{ leaf: 3, firstRow: 0, numRows }],
        },
        states: [new Float32Array(4 * hiddenSize * numRows)],
        seed: 1,
        step: 1,
        onGradient: () => undefined,
      });
      // Laid out [layer][h, c][row][hidden].
      return [0, 1].map((layer) =>
        Array.from({ length: numRows }, (_, row) => {
          const start = (2 * layer * numRows + row) * hiddenSize;
          return bitsOf(outcome!.state.slice(start, start + hiddenSize));
        }),
      );
    };
    const [below, above] = hiddenStates(3) as [string[], string[]];
    // Nothing is dropped below the first layer; above it, every row has a mask of its own.
    expect(new Set(below).size).toBe(1);
    expect(new Set(above).size).toBe(3);
    const [, alone] = hiddenStates(1) as [string[], string[]];
    expect(alone[0]).toBe(above[0]);
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

describe("leaves at a real size, on wasm", () => {
  beforeAll(() => selectBackend("wasm"));

  it("yield the bits of separate leaves where a leaf's loss takes several blocks", () => {
    // On wasm alone, as the cpu backend takes seconds. 2^20 logits a block: 26 positions of 40 000 symbols. The leaves have 28 and 7 positions.
    const spec = specOf({ vocabularySize: 40_000, embeddingSize: 1, hiddenSize: 2, numLayers: 1 });
    const model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 4));
    const alone = [4, 1].map((numRows, leaf) => randomSegment(spec, 7, [numRows], 9, leaf));
    expect(trainBits(model, joinSegments(alone))).toEqual(
      alone.flatMap((segment) => trainBits(model, segment)),
    );
    model.dispose();
  });

  it("have one sum along the gradient tree at the size of the example, whoever holds which subtree", () => {
    const spec = specOf({
      vocabularySize: 83,
      embeddingSize: 64,
      hiddenSize: 128,
      numLayers: 1,
      dropout: 0,
    });
    const model = createLanguageModel(spec);
    // As small as initial parameters are: gates in the steep part of their range.
    model.setParameters(randomParameters(spec, 1).map((value) => value / 8));
    const alone = [4, 3, 4, 4, 5, 4, 0, 4].map((numRows, leaf) =>
      randomSegment(spec, 64, [numRows], 21, leaf),
    );
    const subtree = (first: number, count: number): Float32Array =>
      subtreeOf(model, joinSegments(alone.slice(first, first + count))).gradient;
    const whole = bitsOf(subtree(0, 8));
    expect(bitsOf(sumLeavesInTreeOrder([subtree(0, 4), subtree(4, 4)]))).toBe(whole);
    const leaves = alone.map((_, leaf) => subtree(leaf, 1));
    expect(bitsOf(sumLeavesInTreeOrder(leaves))).toBe(whole);
    // The order matters at this size: added one after the other, the sum has other bits.
    const inSequence = leaves.reduce((sum, leaf) => sum.map((value, k) => value + leaf[k]!));
    expect(bitsOf(inSequence)).not.toBe(whole);
    model.dispose();
  });
});
