/** Tiny translation: words of up to six letters, into the same letters of another alphabet, backwards. */
import { selectFastestBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { createEncoderDecoder, createTrainer } from "../../src/model/index.js";
import { randomValues } from "../language-models.js";
import { pairBatchOf, pairSpecOf, sequencesOf } from "../support/encoder-decoders.js";
import type { Pair } from "../support/encoder-decoders.js";

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
  beforeAll(() => selectFastestBackend());

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
    const optimizer = { kind: "adam" };
    const trainer = createTrainer({ model, seed: 5, optimizer, learningRate: 0.01 });
    for (let step = 1; step <= NUM_STEPS; step++) {
      const pairs = words(32, 1000 + 77 * step);
      trainer.trainStep({ batch: pairBatchOf([pairs.slice(0, 16), pairs.slice(16)]) });
    }
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
