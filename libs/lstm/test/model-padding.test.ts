/** What fills a row up after its last counted token, as at the end of a text, is not learnt from. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { createLanguageModel } from "../src/model/index.js";
import type { LanguageModel, TokenBatch } from "../src/model/index.js";
import { allBackends, momentBits, randomParameters, randomSegment } from "./language-models.js";
import { MODEL_CASES } from "./model-specs.js";

/** Steps of each row that count; in two leaves, the second without any. */
const COUNTED = [4, 2, 3, 0, 0];
const LEAVES = [
  { leaf: 0, firstRow: 0, numRows: 3 },
  { leaf: 1, firstRow: 3, numRows: 2 },
];

function filledUp(batch: TokenBatch, token: number): TokenBatch {
  const { numRows } = batch;
  const isCounted = (n: number): boolean => Math.floor(n / numRows) < COUNTED[n % numRows]!;
  const filled = (tokens: Int32Array): Int32Array =>
    tokens.map((own, n) => (isCounted(n) ? own : token));
  return {
    ...batch,
    inputs: filled(batch.inputs),
    targets: filled(batch.targets),
    weights: batch.weights.map((_, n) => (isCounted(n) ? 1 : 0)),
    leaves: LEAVES,
  };
}

function trained(
  model: LanguageModel,
  batch: TokenBatch,
  states: readonly Float32Array[],
): unknown {
  const gradients: (readonly [string, number[][]])[] = [];
  const outcomes = model.computeGradients({
    batch,
    states,
    seed: 3,
    step: 2,
    // Adding 0 makes one of −0: what is added for the filling is zeros.
    onGradient: (name, perLeaf) =>
      gradients.push([name, perLeaf.map((values) => Array.from(values, (value) => value + 0))]),
  });
  const counted = outcomes.map(({ lossSum, lossWeight, moments }) => {
    return { lossSum, lossWeight, moments: moments.map(momentBits) };
  });
  return { gradients, counted };
}

describe.each(allBackends)("a language model on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(MODEL_CASES)(
    "does not learn from what follows the last counted token: $name",
    ({ spec }) => {
      const model = createLanguageModel(spec);
      model.setParameters(randomParameters(spec, 5));
      const { batch, states } = randomSegment(spec, 4, [3, 2], 8);
      const [first, second] = [0, spec.vocabularySize - 1].map((token) =>
        trained(model, filledUp(batch, token), states),
      );
      expect(second).toEqual(first);
      model.dispose();
    },
  );
});
