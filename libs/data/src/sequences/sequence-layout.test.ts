import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { madeDataset } from "../../test/support/made-dataset.js";
import { shuffledOrder } from "../layout/index.js";
import { sequenceDigest } from "./sequence-digest.js";
import { createSequenceLayout } from "./sequence-layout.js";
import type { SequenceDataset } from "./sequence-dataset.js";

/** Words that differ from epoch to epoch; any would do. */
const randomWords = (epoch: number, count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => Math.imul((epoch + 1) * 77_777 + i, 2_654_435_761));

const sizes = { batchSize: fc.integer({ min: 1, max: 5 }), microShards: fc.constantFrom(1, 2, 4) };

/** Three sequences of 2, 1 and 3 steps; sequence n has inputs n.t and targets 10 n + t. */
const small: SequenceDataset = {
  kind: "sequences",
  inputs: { kind: "values", size: 1 },
  targets: { kind: "values", of: "everyStep", size: 1, ignored: null },
  samples: {
    lengths: Uint32Array.of(2, 1, 3, 1, 1),
    targetLengths: new Uint32Array(0),
    weights: Float32Array.of(1, 0.5, 2, 1, 1),
    inputs: Float32Array.of(0.25, 0.5, 1.25, 2.25, 2.5, 2.75, 3, 4),
    targets: Float32Array.of(0, 1, 10, 20, 21, 22, 30, 40),
  },
  splits: {
    train: { first: 0, count: 3 },
    validation: { first: 3, count: 1 },
    test: { first: 4, count: 1 },
  },
  longest: 3,
  digest: "",
};

describe("a batch of sequences", () => {
  const layout = createSequenceLayout({
    ...{ dataset: small, split: "train", batchSize: 3, microShards: 2 },
  });

  it("is time-major, padded to the longest of the step, with each row's weight at its steps", () => {
    // Leaf 0 has floor(3/2) = 1 row, leaf 1 two.
    const batch = layout.batch({ epoch: 0, epochStep: 0 }, [0, 1]);
    expect(batch).toEqual({
      ...{ numSteps: 3, numRows: 3 },
      inputs: Float32Array.of(0.25, 1.25, 2.25, 0.5, 0, 2.5, 0, 0, 2.75),
      lengths: Int32Array.of(2, 1, 3),
      targets: Float32Array.of(0, 10, 20, 1, 0, 21, 0, 0, 22),
      targetLengths: undefined,
      weights: Float32Array.of(1, 0.5, 2, 1, 0, 2, 0, 0, 2),
      sequences: Uint32Array.of(0, 1, 2),
      leaves: [
        { leaf: 0, firstRow: 0, numRows: 1 },
        { leaf: 1, firstRow: 1, numRows: 2 },
      ],
    });
  });

  it("has the steps of the whole step's longest sequence, whichever leaves it holds", () => {
    const batch = layout.batch({ epoch: 0, epochStep: 0 }, [0]);
    expect([batch.numSteps, batch.numRows]).toEqual([3, 1]);
    expect(batch.inputs).toEqual(Float32Array.of(0.25, 0.5, 0));
  });

  it("has no lengths where all sequences of the step are as long", () => {
    const single = createSequenceLayout({
      ...{ dataset: small, split: "train", batchSize: 1, microShards: 2 },
    });
    const batch = single.batch({ epoch: 0, epochStep: 1 }, [0, 1]);
    expect(batch.lengths).toBeUndefined();
    expect(batch.leaves.map(({ numRows }) => numRows)).toEqual([0, 1]);
  });

  it("has the digest of numbers, lengths, inputs, targets and weights, without the padding", () => {
    // Sequence 0: number 0, 2 steps, 2 targets; inputs; targets; weights.
    const bytes = Buffer.alloc(9 * 4);
    [0, 2, 2].forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
    [0.25, 0.5, 0, 1, 1, 1].forEach((value, i) => bytes.writeFloatLE(value, 12 + 4 * i));
    const batch = layout.batch({ epoch: 0, epochStep: 0 }, [1, 0]);
    const expected = createHash("sha256").update(bytes).digest();
    expect(Buffer.from(sequenceDigest(batch, 0)).equals(expected)).toBe(true);
    expect(() => sequenceDigest(batch, 5)).toThrow("leaf 5 is not in the batch; it has [1, 0]");
  });

  it.each([
    [[0, 0], "name one leaf twice"],
    [[2], "leaf is 2; it must be an integer from 0 to 1"],
  ])("is refused for leaves %j", (leaves, words) => {
    expect(() => layout.batch({ epoch: 0, epochStep: 0 }, leaves)).toThrow(words);
  });
});

describe("an epoch of sequences", () => {
  it("has each sequence of its part once, in even leaves, whatever the sizes", () => {
    fc.assert(
      fc.property(
        madeDataset,
        fc.record(sizes),
        fc.nat(3),
        (dataset, { batchSize, microShards }, epoch) => {
          const options = { dataset, batchSize, microShards, randomWords };
          const layout = createSequenceLayout({ ...options, split: "train" });
          const { first, count } = dataset.splits.train;
          const seen: number[] = [];
          for (let epochStep = 0; epochStep < layout.stepsPerEpoch; epochStep++) {
            const rows: number[] = [];
            for (let leaf = 0; leaf < microShards; leaf++) {
              const { sequences } = layout.batch({ epoch, epochStep }, [leaf]);
              expect(layout.expectedLeaf({ epoch, epochStep }, leaf).numSamples).toBe(
                sequences.length,
              );
              rows.push(sequences.length);
              seen.push(...sequences);
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

  it("gives a leaf the same digest, whichever leaves it is batched with", () => {
    fc.assert(
      fc.property(madeDataset, fc.record(sizes), (dataset, { batchSize, microShards }) => {
        const layout = createSequenceLayout({
          ...{ dataset, batchSize, microShards, randomWords, split: "train" },
        });
        const place = { epoch: 1, epochStep: layout.stepsPerEpoch - 1 };
        const leaves = Array.from({ length: microShards }, (_, leaf) => leaf);
        const together = layout.batch(place, leaves.toReversed());
        for (const leaf of leaves) {
          expect(sequenceDigest(together, leaf)).toEqual(layout.expectedLeaf(place, leaf).digest);
        }
      }),
    );
  });

  it("is in another order than the one before, and in the file's without random words", () => {
    const count = 40;
    const dataset: SequenceDataset = {
      ...small,
      samples: {
        ...small.samples,
        lengths: new Uint32Array(count + 2).fill(1),
        weights: new Float32Array(count + 2).fill(1),
        inputs: new Float32Array(count + 2),
        targets: new Float32Array(count + 2),
      },
      splits: {
        train: { first: 0, count },
        validation: { first: count, count: 1 },
        test: { first: count + 1, count: 1 },
      },
    };
    const options = { dataset, split: "train", batchSize: count, microShards: 1 } as const;
    const drawn = createSequenceLayout({ ...options, randomWords });
    const orderOf = (epoch: number): string => drawn.sequencesAt({ epoch, epochStep: 0 }).join(" ");
    expect(new Set([orderOf(0), orderOf(1), orderOf(2)]).size).toBe(3);
    expect(orderOf(0)).toBe(orderOf(0));
    const inOrder = createSequenceLayout(options).sequencesAt({ epoch: 7, epochStep: 0 });
    expect([...inOrder]).toEqual(Array.from({ length: count }, (_, i) => i));
  });
});

describe("a step of more sequences than a call may have arguments", () => {
  it("is a batch like any other", () => {
    const count = 200_000;
    const one = { first: count, count: 1 };
    const dataset: SequenceDataset = {
      ...small,
      samples: {
        lengths: new Uint32Array(count + 2).fill(1),
        targetLengths: new Uint32Array(count + 2).fill(1),
        weights: new Float32Array(count + 2).fill(1),
        inputs: new Float32Array(count + 2),
        targets: new Int32Array(count + 2).fill(1),
      },
      inputs: { kind: "values", size: 1 },
      targets: { kind: "labelSequences", of: "lastStep", size: 2, ignored: null },
      splits: { train: { first: 0, count }, validation: one, test: { ...one, first: count + 1 } },
    };
    const layout = createSequenceLayout({
      ...{ dataset, split: "train", batchSize: count, microShards: 1 },
    });
    expect(layout.batch({ epoch: 0, epochStep: 0 }, [0])).toMatchObject({
      numSteps: 1,
      numRows: count,
    });
  });
});

describe("a shuffled order", () => {
  it("is every permutation of three equally often, over a grid of words", () => {
    // Words in the middle of equal intervals: 3 choices for the last place, 2 for the one before.
    const middles = (parts: number): number[] =>
      Array.from({ length: parts }, (_, i) => Math.floor(((i + 0.5) / parts) * 2 ** 32));
    const orders = middles(3).flatMap((last) =>
      middles(2).map((middle) => shuffledOrder(3, Uint32Array.of(0, middle, last)).join("")),
    );
    expect(orders.sort()).toEqual(["012", "021", "102", "120", "201", "210"]);
  });

  it("takes the largest word without leaving the range", () => {
    expect(shuffledOrder(4, new Uint32Array(4).fill(2 ** 32 - 1))).toEqual(
      Uint32Array.of(0, 1, 2, 3),
    );
  });
});
