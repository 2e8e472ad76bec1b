/**
 * The encoder–decoder against a float64 one of plain numbers (test/oracle): losses and moments by its
 * forward pass, gradients by its central differences.
 */
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import type { EncoderDecoderSpec } from "../src/index.js";
import { createEncoderDecoder } from "../src/model/index.js";
import type { LeafOutcome, PairBatch } from "../src/model/index.js";
import { backends, relativeError } from "./language-models.js";
import { runEncoderDecoder } from "./oracle/encoder-decoder.js";
import type { OracleOutcome } from "./oracle/encoder-decoder.js";
import { centralDifferences } from "./oracle/finite-differences.js";
import { OracleMasks } from "./oracle/masks.js";
import { OracleTensors } from "./oracle/tensors.js";
import {
  anyPairSpec,
  pairBatchOf,
  pairsOf,
  pairSpecOf,
  randomPair,
  randomPairParameters,
} from "./support/encoder-decoders.js";
import { randomStatistics, runningOf } from "./support/running-statistics.js";

const cases = [
  { name: "no attention", changes: { attention: "none" } },
  { name: "additive attention", changes: { attention: "additive" } },
  { name: "multiplicative attention", changes: { attention: "multiplicative" } },
  {
    name: "two directions, two layers, residuals, every dropout",
    changes: {
      bidirectionalEncoder: true,
      numLayers: 2,
      residual: true,
      dropout: 0.3,
      inputDropout: 0.2,
      outputDropout: 0.25,
    },
  },
  {
    name: "GRU, two directions, multiplicative, tied, smoothed, penalties",
    changes: {
      cell: "gru",
      bidirectionalEncoder: true,
      attention: "multiplicative",
      embeddingSize: 4,
      tiedEmbedding: true,
      labelSmoothing: 0.2,
      activationPenalty: 0.5,
      temporalActivationPenalty: 0.7,
      outputDropout: 0.3,
    },
  },
  { name: "batch normalization", changes: { normalization: "batch", bidirectionalEncoder: true } },
  { name: "layer normalization", changes: { normalization: "layer", attention: "multiplicative" } },
].map(({ name, changes }) => ({ name, spec: pairSpecOf(changes) }));

// Rows of different lengths, an empty target among them, in two leaves and one without rows.
const batch = pairBatchOf(
  [
    [
      { source: [2, 5, 0, 1], target: [3, 6] },
      { source: [4], target: [] },
    ],
    [],
    [{ source: [3, 3, 1], target: [2, 4, 5, 2] }],
  ],
  { firstLeaf: 3, garbage: -77, further: 1 },
);

const training = { seed: 9, step: 21 };

/** Of gradients: what sums to nothing is as exact as its terms. */
const FLOOR = 0.01;

function oracle(
  spec: EncoderDecoderSpec,
  given: PairBatch,
  tensors: OracleTensors,
  masks: OracleMasks,
): OracleOutcome[] {
  const running = runningOf(spec);
  const numbers = given.leaves.map(({ leaf }) => leaf);
  return pairsOf(given).map((pairs, index) =>
    runEncoderDecoder({ spec, tensors, masks, running, leaf: numbers[index]!, pairs }),
  );
}

function expectOutcome(actual: LeafOutcome, expected: OracleOutcome, what: string): void {
  expect(relativeError([actual.lossSum], [expected.lossSum], 0.1), what).toBeLessThan(1e-5);
  expect(actual.lossWeight, what).toBe(expected.lossWeight);
  for (const [k, moments] of expected.moments.entries()) {
    const { count, mean, m2 } = actual.moments[k]!;
    expect(count, what).toBe(moments.count);
    expect(relativeError(mean, moments.mean, FLOOR), what).toBeLessThan(1e-5);
    expect(relativeError(m2, moments.m2, FLOOR), what).toBeLessThan(1e-5);
  }
}

/** On each backend, since it is the oracle that takes the time. */
async function expectFormulas(
  spec: EncoderDecoderSpec,
  given: PairBatch,
  seed: number,
  placesPerTensor: number,
): Promise<void> {
  const parameters = randomPairParameters(spec, seed);
  const all: { backend: string; gradients: Map<string, readonly Float32Array[]> }[] = [];
  const model = createEncoderDecoder(spec);
  const { tensors } = model.layout;
  const at = new OracleTensors(tensors, parameters);
  const masks = new OracleMasks(training);
  const expected = oracle(spec, given, at, masks);
  for (const backend of backends) {
    await selectBackend(backend);
    model.setParameters(parameters);
    const gradients = new Map<string, readonly Float32Array[]>();
    const outcomes = model.computeGradients({
      batch: given,
      ...training,
      onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
    });
    model.dispose();
    for (const [index, ofLeaf] of expected.entries()) {
      expectOutcome(outcomes[index]!, ofLeaf, `leaf ${index} on ${backend}`);
    }
    expect([...gradients.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort());
    all.push({ backend, gradients });
  }
  for (const { name, offset, size } of tensors) {
    const stride = Math.ceil(size / placesPerTensor);
    const places = Array.from({ length: Math.ceil(size / stride) }, (_, k) => offset + k * stride);
    const differences = centralDifferences(at.flat, places, () =>
      oracle(spec, given, at, masks).map(({ objective }) => objective),
    );
    for (const { backend, gradients } of all) {
      for (const [leaf, wanted] of differences.entries()) {
        const own = places.map((k) => gradients.get(name)![leaf]![k - offset]!);
        const error = relativeError(own, wanted, FLOOR);
        expect(error, `${name} of leaf ${leaf} on ${backend}`).toBeLessThan(1e-4);
      }
    }
  }
}

const anyCase = fc.record({
  // Values normalized over one, two or three of them are steps: their slopes are too steep or nothing.
  spec: anyPairSpec(fc.integer({ min: 4, max: 6 })),
  rowsOfLeaves: fc.array(fc.constantFrom(0, 2, 3), { minLength: 1, maxLength: 3 }),
  firstLeaf: fc.nat(7),
  further: fc.nat(2),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

describe("an encoder–decoder in training", () => {
  it.each(cases)("has the losses and gradients of the formulas: $name", async ({ spec }) => {
    await expectFormulas(spec, batch, 11, 40);
  });

  it("has them for any combination of options, lengths and leaves", async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ spec, rowsOfLeaves, firstLeaf, further, seed }) => {
        const leaves = rowsOfLeaves.map((numRows, leaf) =>
          Array.from({ length: numRows }, (_, row) => randomPair(spec, seed + 100 * leaf + row)),
        );
        await expectFormulas(
          spec,
          pairBatchOf(leaves, { firstLeaf, garbage: -77, further }),
          seed,
          4,
        );
      }),
      // A seed, since a value close to a bend or a variance close to zero is found sooner or later.
      { numRuns: 40, seed: 1, endOnFailure: true },
    );
  });
});

describe.each(backends)("an encoder–decoder on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each([
    ...cases,
    { name: "dropout", spec: pairSpecOf({ dropout: 0.5, inputDropout: 0.5, numLayers: 2 }) },
    { name: "zoneout", spec: pairSpecOf({ zoneoutHidden: 0.3, zoneoutCell: 0.2 }) },
  ])("evaluates without what training adds: $name", ({ spec }) => {
    const model = createEncoderDecoder(spec);
    const parameters = randomPairParameters(spec, 3);
    model.setParameters(parameters);
    model.setRunningStatistics(randomStatistics(spec));
    const outcomes = model.evaluate({ batch });
    model.dispose();
    const at = new OracleTensors(model.layout.tensors, parameters);
    const expected = oracle(spec, batch, at, new OracleMasks(undefined));
    const lossSums = (all: readonly { readonly lossSum: number }[]): number[] =>
      all.map(({ lossSum }) => lossSum);
    expect(relativeError(lossSums(outcomes), lossSums(expected))).toBeLessThan(1e-5);
    // Three and one tokens with the ends; none; five.
    expect(outcomes.map(({ lossWeight }) => lossWeight)).toEqual([4, 0, 5]);
  });
});
