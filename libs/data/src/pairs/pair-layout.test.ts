import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { madePairs } from "../../test/support/made-pairs.js";
import { createTokenVocabulary } from "../vocabulary/index.js";
import { pairDigest } from "./pair-batch.js";
import type { PairDataset } from "./pair-dataset.js";
import { createPairLayout } from "./pair-layout.js";

/** Words that differ from epoch to epoch; any would do. */
const randomWords = (epoch: number, count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => Math.imul((epoch + 1) * 77_777 + i, 2_654_435_761));

const sizes = { batchSize: fc.integer({ min: 1, max: 5 }), microShards: fc.constantFrom(1, 2, 4) };

const tokens = ["a", "b", "c"];
/** ab → c, c → nothing, a → bca; validation a → a, test b → b. */
const small: PairDataset = {
  kind: "pairs",
  vocabularies: {
    source: createTokenVocabulary({ form: "characters", tokens, firstId: 1 }),
    target: createTokenVocabulary({ form: "characters", tokens, firstId: 3 }),
  },
  source: { lengths: Uint32Array.of(2, 1, 1, 1, 1), ids: Int32Array.of(1, 2, 3, 1, 1, 2) },
  target: { lengths: Uint32Array.of(1, 0, 3, 1, 1), ids: Int32Array.of(5, 4, 5, 3, 3, 4) },
  weights: Float32Array.of(1, 0.5, 0.1, 1, 1),
  splits: {
    train: { first: 0, count: 3 },
    validation: { first: 3, count: 1 },
    test: { first: 4, count: 1 },
  },
  digest: "",
};

describe("a batch of pairs", () => {
  const layout = createPairLayout({
    ...{ dataset: small, split: "train", batchSize: 3, microShards: 2 },
  });
  const place = { epoch: 0, epochStep: 0 };

  it("is time-major, each side padded to its longest of the step", () => {
    // Leaf 0 has floor(3/2) = 1 row, leaf 1 two.
    expect(layout.batch(place, [0, 1])).toEqual({
      ...{ numSteps: 2 + 1 + 3, numRows: 3 },
      source: {
        numSteps: 2,
        tokens: Int32Array.of(1, 3, 1, 2, 0, 0),
        lengths: Int32Array.of(2, 1, 1),
      },
      target: {
        numSteps: 3,
        tokens: Int32Array.of(5, 0, 4, 0, 0, 5, 0, 0, 3),
        lengths: Int32Array.of(1, 0, 3),
      },
      weights: Float32Array.of(1, 0.5, 0.1),
      pairs: Uint32Array.of(0, 1, 2),
      leaves: [
        { leaf: 0, firstRow: 0, numRows: 1 },
        { leaf: 1, firstRow: 1, numRows: 2 },
      ],
    });
  });

  it("has the time steps of the whole step's longest sides, whichever leaves it holds", () => {
    const { source, target, numRows } = layout.batch(place, [0]);
    expect([source.numSteps, target.numSteps, numRows]).toEqual([2, 3, 1]);
    expect(target.tokens).toEqual(Int32Array.of(5, 0, 0));
  });

  it("weighs its targets' tokens and ends", () => {
    expect(layout.lossWeightOf(place, 0)).toBe(2);
    // One end of 0.5; three tokens and an end of 0.1 as float32 has it, added one after the other.
    const tenth = Math.fround(0.1);
    expect(layout.lossWeightOf(place, 1)).toBe(0.5 + tenth + tenth + tenth + tenth);
  });

  it("has the digest of numbers, lengths, ids and weight, without the padding", () => {
    // Pair 0: number 0, 2 source tokens, 1 target token; ids; weight.
    const bytes = Buffer.alloc(7 * 4);
    [0, 2, 1].forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
    [1, 2, 5].forEach((value, i) => bytes.writeInt32LE(value, 12 + 4 * i));
    bytes.writeFloatLE(1, 24);
    const batch = layout.batch(place, [1, 0]);
    const expected = createHash("sha256").update(bytes).digest();
    expect(Buffer.from(pairDigest(batch, 0)).equals(expected)).toBe(true);
    expect(() => pairDigest(batch, 5)).toThrow("leaf 5 is not in the batch; it has [1, 0]");
  });

  it("has another digest once a token, a length, a weight or a pair is another one", () => {
    const batch = layout.batch(place, [0, 1]);
    const { source, target } = batch;
    const swapped = Int32Array.from(target.tokens, (id) => (id === 4 ? 3 : id));
    const changed = [
      batch,
      { ...batch, weights: Float32Array.of(1, 0.5, 0.25) },
      { ...batch, pairs: Uint32Array.of(0, 1, 3) },
      { ...batch, target: { ...target, tokens: swapped } },
      { ...batch, target: { ...target, lengths: Int32Array.of(1, 1, 3) } },
      { ...batch, source: { ...source, tokens: Int32Array.of(1, 3, 2, 2, 0, 0) } },
    ].map((each) => Buffer.from(pairDigest(each, 1)).toString("hex"));
    expect(new Set(changed).size).toBe(changed.length);
  });

  it.each([
    [[0, 0], "name one leaf twice"],
    [[2], "leaf is 2; it must be an integer from 0 to 1"],
  ])("is refused for leaves %j", (leaves, words) => {
    expect(() => layout.batch(place, leaves)).toThrow(words);
  });
});

describe("an epoch of pairs", () => {
  it("has each pair of its part once, in even leaves, whatever the sizes", () => {
    fc.assert(
      fc.property(
        madePairs,
        fc.record(sizes),
        fc.nat(3),
        (dataset, { batchSize, microShards }, epoch) => {
          const options = { dataset, batchSize, microShards, randomWords };
          const layout = createPairLayout({ ...options, split: "train" });
          const { first, count } = dataset.splits.train;
          const seen: number[] = [];
          for (let epochStep = 0; epochStep < layout.stepsPerEpoch; epochStep++) {
            const rows: number[] = [];
            for (let leaf = 0; leaf < microShards; leaf++) {
              const place = { epoch, epochStep };
              const { pairs } = layout.batch(place, [leaf]);
              expect(pairs).toEqual(layout.pairsOf(place, leaf));
              expect(layout.expectedLeaf(place, leaf).numSamples).toBe(pairs.length);
              rows.push(pairs.length);
              seen.push(...pairs);
            }
            expect(Math.max(...rows) - Math.min(...rows)).toBeLessThanOrEqual(1);
          }
          expect(seen.sort((a, b) => a - b)).toEqual(
            Array.from({ length: count }, (_, i) => first + i),
          );
        },
      ),
    );
  });

  it("gives a leaf the same digest and arrays, whichever leaves it is batched with", () => {
    fc.assert(
      fc.property(madePairs, fc.record(sizes), (dataset, { batchSize, microShards }) => {
        const layout = createPairLayout({
          ...{ dataset, batchSize, microShards, randomWords, split: "train" },
        });
        const place = { epoch: 1, epochStep: layout.stepsPerEpoch - 1 };
        const leaves = Array.from({ length: microShards }, (_, leaf) => leaf);
        const together = layout.batch(place, leaves.toReversed());
        for (const leaf of leaves) {
          expect(pairDigest(together, leaf)).toEqual(layout.expectedLeaf(place, leaf).digest);
          const alone = layout.batch(place, [leaf]);
          expect(alone.source.numSteps).toBe(together.source.numSteps);
          expect(alone.target.numSteps).toBe(together.target.numSteps);
        }
      }),
    );
  });

  it("is in an order of its own, and in the file's without random words", () => {
    const options = { dataset: small, split: "train", batchSize: 3, microShards: 1 } as const;
    const drawn = createPairLayout({ ...options, randomWords });
    const orders = [0, 1, 2, 3, 4, 5].map((epoch) =>
      drawn.pairsAt({ epoch, epochStep: 0 }).join(" "),
    );
    expect(new Set(orders).size).toBeGreaterThan(1);
    expect([...createPairLayout(options).pairsAt({ epoch: 7, epochStep: 0 })]).toEqual([0, 1, 2]);
  });
});
