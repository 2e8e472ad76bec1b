/** It learns: words of up to six letters, spelt backwards. */
import { sumLeavesInTreeOrder, sumOfSquares } from "@ostinato/kernels";
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { createOptimizer, globalNormClip, initialParameters } from "../src/index.js";
import { createEncoderDecoder } from "../src/model/index.js";
import { randomValues } from "./language-models.js";
import { pairBatchOf, pairSpecOf, sequencesOf } from "./support/encoder-decoders.js";
import type { Pair } from "./support/encoder-decoders.js";

const NUM_LETTERS = 6;
const NUM_STEPS = 180;

/** Sources of letters 0 to 5, targets of the same ones from last to first, numbered from 2. */
function words(count: number, seed: number): Pair[] {
  const values = randomValues(seed);
  const draw = (below: number): number => Math.floor(((values(1)[0]! + 1) / 2) * below);
  return Array.from({ length: count }, () => {
    const source = Array.from({ length: 1 + draw(6) }, () => draw(NUM_LETTERS));
    return { source, target: source.toReversed().map((letter) => letter + 2) };
  });
}

describe("an encoder–decoder with attention", () => {
  beforeAll(() => selectBackend("wasm"));

  it("learns to spell words backwards that it has never seen", () => {
    const spec = pairSpecOf({
      sourceVocabularySize: NUM_LETTERS,
      targetVocabularySize: NUM_LETTERS + 2,
      cell: "gru",
      embeddingSize: 12,
      hiddenSize: 32,
      bidirectionalEncoder: true,
      attention: "multiplicative",
    });
    const model = createEncoderDecoder(spec);
    let parameters = initialParameters(spec, 5);
    const offsets = new Map(model.layout.tensors.map(({ name, offset }) => [name, offset]));
    const optimizer = createOptimizer({ kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    const state = optimizer.initialState(parameters.length);
    for (let step = 0; step < NUM_STEPS; step++) {
      model.setParameters(parameters);
      const pairs = words(32, 1000 + 77 * step);
      const batch = pairBatchOf([pairs.slice(0, 16), pairs.slice(16)]);
      const gradients = batch.leaves.map(() => new Float32Array(parameters.length));
      const outcomes = model.computeGradients({
        batch,
        seed: 1,
        step,
        onGradient: (name, perLeaf) => {
          for (const [leaf, values] of perLeaf.entries()) {
            gradients[leaf]!.set(values, offsets.get(name));
          }
        },
      });
      const lossWeight = outcomes.reduce((sum, outcome) => sum + outcome.lossWeight, 0);
      const gradient = sumLeavesInTreeOrder(gradients);
      const clip = globalNormClip({ sumOfSquares: sumOfSquares(gradient), lossWeight, maxNorm: 1 });
      const out = new Float32Array(parameters.length);
      const gradientScale = clip.scale;
      optimizer.update({ parameters, gradient, state, learningRate: 0.01, gradientScale, out });
      parameters = out;
    }
    model.setParameters(parameters);
    const unseen = words(60, 3);
    const found = model.translate(sequencesOf(unseen.map(({ source }) => source)), {
      beamSize: 3,
      maxLength: 8,
    });
    model.dispose();
    const right = unseen.filter(
      ({ target }, row) => found[row]![0]!.tokens.join() === target.join(),
    );
    // Chance would spell one in eight letters rightly, and next to no word.
    expect(right.length).toBeGreaterThan(48);
  });
});
