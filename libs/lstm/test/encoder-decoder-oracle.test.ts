/** Gradients against central differences of a float64 encoder–decoder of plain numbers. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { createEncoderDecoder } from "../src/model/index.js";
import { backends, relativeError } from "./language-models.js";
import { oracleLosses } from "./support/encoder-decoder-oracle.js";
import { pairBatchOf, pairSpecOf, randomPairParameters } from "./support/encoder-decoders.js";

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
  { name: "embedding dropout of both sides", changes: { embeddingDropout: 0.4 } },
  {
    name: "embedding dropout, tied",
    changes: { embeddingDropout: 0.4, inputDropout: 0.2, embeddingSize: 4, tiedEmbedding: true },
  },
  { name: "batch normalization", changes: { normalization: "batch", bidirectionalEncoder: true } },
  { name: "layer normalization", changes: { normalization: "layer", attention: "multiplicative" } },
];

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

describe.each(backends)("an encoder–decoder on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(cases)("has the losses and gradients of the formulas: $name", ({ changes }) => {
    const spec = pairSpecOf(changes);
    const model = createEncoderDecoder(spec);
    const parameters = randomPairParameters(spec, 11);
    model.setParameters(parameters);
    const training = { seed: 9, step: 21 };
    const gradients = new Map<string, readonly Float32Array[]>();
    const outcomes = model.computeGradients({
      batch,
      ...training,
      onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
    });
    model.dispose();
    expect([...gradients.keys()].sort()).toEqual(
      model.layout.tensors.map((tensor) => tensor.name).sort(),
    );
    const expected = oracleLosses(spec, parameters, batch, training);
    for (const [index, { leaf, lossWeight }] of outcomes.entries()) {
      expect(leaf).toBe(3 + index);
      expect(lossWeight).toBe(expected[index]!.lossWeight);
    }
    if (spec.labelSmoothing === 0) {
      const lossSums = expected.map(({ lossSum }) => lossSum);
      expect(
        relativeError(
          outcomes.map((outcome) => outcome.lossSum),
          lossSums,
        ),
      ).toBeLessThan(1e-6);
    }
    const step = 1e-4;
    const at = Float64Array.from(parameters);
    const objectivesAt = (k: number, value: number): number[] => {
      const original = at[k]!;
      at[k] = value;
      const losses = oracleLosses(spec, at, batch, training);
      at[k] = original;
      return losses.map(({ objective }) => objective);
    };
    for (const { name, offset, size } of model.layout.tensors) {
      const differences = Array.from({ length: size }, (_, k) => {
        const value = at[offset + k]!;
        const above = objectivesAt(offset + k, value + step);
        const below = objectivesAt(offset + k, value - step);
        return above.map((objective, leaf) => (objective - below[leaf]!) / (2 * step));
      });
      for (const leaf of batch.leaves.keys()) {
        const actual = gradients.get(name)![leaf]!;
        const wanted = differences.map((ofLeaves) => ofLeaves[leaf]!);
        const error = relativeError(actual, wanted);
        // What the normalization of a leaf cancels out is not zero in float32 alone.
        expect(
          error < 1e-4 || largest(actual, wanted) < 1e-5,
          `${name} of leaf ${leaf}: ${error}`,
        ).toBe(true);
      }
    }
  });

  it.each(["none", "additive", "multiplicative"])(
    "evaluates without dropout and smoothing, with attention %s",
    (attention) => {
      const spec = pairSpecOf({
        ...{ attention, dropout: 0.5, inputDropout: 0.5, embeddingDropout: 0.5 },
        labelSmoothing: 0.1,
      });
      const model = createEncoderDecoder(spec);
      const parameters = randomPairParameters(spec, 3);
      model.setParameters(parameters);
      const outcomes = model.evaluate({ batch });
      model.dispose();
      const expected = oracleLosses(spec, parameters, batch);
      const lossSums = expected.map(({ lossSum }) => lossSum);
      expect(
        relativeError(
          outcomes.map(({ lossSum }) => lossSum),
          lossSums,
        ),
      ).toBeLessThan(1e-6);
      // Three and one tokens with the ends; none; five.
      expect(outcomes.map(({ lossWeight }) => lossWeight)).toEqual([4, 0, 5]);
    },
  );
});

function largest(...all: readonly ArrayLike<number>[]): number {
  return Math.max(...all.flatMap((values) => Array.from(values, Math.abs)));
}
