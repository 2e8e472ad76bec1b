import { createLoss, lossSchema } from "@ostinato/lstm";
import type { SequenceBatch, SequenceDataset } from "@ostinato/data";
import { describe, expect, it } from "vitest";

import { layOutSequences } from "./layouts.js";

const NUM_TRAIN = 11;
const lengths = Uint32Array.from({ length: NUM_TRAIN + 2 }, (_, n) => (n % 4) + 1);
const numSteps = lengths.reduce((sum, length) => sum + length, 0);

/** Classes of every step, one of four, or ignored; weights that float32 does not hold exactly. */
const dataset: SequenceDataset = {
  kind: "sequences",
  inputs: { kind: "values", size: 1 },
  targets: { kind: "classes", of: "everyStep", size: 4, ignored: -100 },
  samples: {
    lengths,
    targetLengths: new Uint32Array(0),
    weights: Float32Array.from(lengths, (_, n) => 0.1 * (n + 1)),
    inputs: Float32Array.from({ length: numSteps }, (_, i) => i),
    targets: Int32Array.from({ length: numSteps }, (_, i) => (i % 5 === 4 ? -100 : i % 5)),
  },
  splits: {
    train: { first: 0, count: NUM_TRAIN },
    validation: { first: NUM_TRAIN, count: 1 },
    test: { first: NUM_TRAIN + 1, count: 1 },
  },
  longest: 4,
  digest: "",
};

const settings = { batchSize: 4, sequenceLength: null, microShards: 2, evaluationBatchSize: 2 };
const loss = lossSchema.parse({ kind: "crossEntropy", classWeights: [0.3, 1, 0.7, 0] });

describe("sequences as a run lays them out", () => {
  it("weigh what their loss counts them, to the bit", () => {
    const { train } = layOutSequences(dataset, { loss }, { ...settings, seed: 3 });
    // One leaf holds the whole batch, so that the loss may read its arrays as they are.
    const single = layOutSequences(dataset, { loss }, { ...settings, microShards: 1, seed: 3 });
    const counted = createLoss(loss, { numTargets: 4 });
    if (counted.targetKind !== "classes") throw new Error("not of classes");
    for (let epochStep = 0; epochStep < train.stepsPerEpoch; epochStep++) {
      const place = { epoch: 1, epochStep };
      const batch: SequenceBatch = single.train.batch(place, [0]);
      const { lossWeight } = counted.evaluate({
        outputs: new Float32Array(batch.targets.length * 4),
        numRows: batch.numRows,
        targets: batch.targets as Int32Array,
        weights: batch.weights,
      });
      expect(single.train.expectedLeaf(place, 0).lossWeight).toBe(lossWeight);
      expect(single.train.lossWeightAt(place)).toBe(lossWeight);
      const leaves = [0, 1].map((leaf) => train.expectedLeaf(place, leaf).lossWeight);
      expect(train.lossWeightAt(place)).toBe(0 + leaves[0]! + leaves[1]!);
    }
  });

  it("come in an order of the seed and the epoch, each once, and in the file's for evaluation", () => {
    const orderOf = (seed: number, epoch: number): number[] => {
      const { train } = layOutSequences(dataset, { loss }, { ...settings, seed });
      return Array.from({ length: train.stepsPerEpoch }, (_, epochStep) => [
        ...train.batch({ epoch, epochStep }, [0, 1]).sequences,
      ]).flat();
    };
    const orders = [orderOf(3, 0), orderOf(3, 1), orderOf(4, 0)];
    expect(new Set(orders.map(String)).size).toBe(3);
    for (const order of orders) {
      expect(order.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: NUM_TRAIN }, (_, n) => n),
      );
    }
    const { evaluation } = layOutSequences(dataset, { loss }, { ...settings, seed: 3 });
    const train = evaluation("train");
    const place = { epoch: 0, epochStep: 2 };
    expect([...train.batch(place, [0, 1]).sequences]).toEqual([4, 5]);
    expect(train.describe(place, [0])).toBe("training sequences 5");
  });
});
