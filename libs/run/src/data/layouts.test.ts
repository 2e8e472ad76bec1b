import { createLoss, lossSchema } from "@ostinato/lstm";
import type { SequenceBatch, SequenceDataset } from "@ostinato/data";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { layOutSequences } from "./layouts.js";

/**
 * Classes of every step or of the last one: one of four, or ignored.
 *
 * @param sequences length and weight of each; the last two are the validation and the test part.
 */
function datasetOf(
  sequences: readonly (readonly [length: number, weight: number])[],
  of: "everyStep" | "lastStep",
): SequenceDataset {
  const lengths = Uint32Array.from(sequences, ([length]) => length);
  const numSteps = lengths.reduce((sum, length) => sum + length, 0);
  const numTargets = of === "everyStep" ? numSteps : lengths.length;
  const count = lengths.length - 2;
  return {
    kind: "sequences",
    inputs: { kind: "values", size: 1 },
    targets: { kind: "classes", of, size: 4, ignored: -100 },
    samples: {
      lengths,
      targetLengths: new Uint32Array(0),
      weights: Float32Array.from(sequences, ([, weight]) => weight),
      inputs: Float32Array.from({ length: numSteps }, (_, i) => i),
      targets: Int32Array.from({ length: numTargets }, (_, i) => (i % 5 === 4 ? -100 : i % 5)),
    },
    splits: {
      train: { first: 0, count },
      validation: { first: count, count: 1 },
      test: { first: count + 1, count: 1 },
    },
    longest: Math.max(...lengths),
    digest: "",
  };
}

const NUM_TRAIN = 11;
const dataset = datasetOf(
  Array.from({ length: NUM_TRAIN + 2 }, (_, n) => [(n % 4) + 1, 0.1 * (n + 1)]),
  "everyStep",
);

const settings = { batchSize: 4, sequenceLength: null, microShards: 2, evaluationBatchSize: 2 };
const loss = lossSchema.parse({ kind: "crossEntropy", classWeights: [0.3, 1, 0.7, 0] });

describe("sequences as a run lays them out", () => {
  it("weigh what their loss counts them, to the bit", () => {
    const weight = fc.float({ min: Math.fround(1e-3), max: 1e3, noNaN: true });
    const lengthsAndWeights = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), weight), {
      ...{ minLength: 5, maxLength: 12 },
    });
    const of = fc.constantFrom("everyStep" as const, "lastStep" as const);
    const classWeights = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      ...{ minLength: 4, maxLength: 4 },
    });
    const check = (
      drawn: readonly (readonly [number, number])[],
      { of, ...options }: { readonly of: "everyStep" | "lastStep"; classWeights: number[] },
    ): void => {
      const count = drawn.length - 2;
      const ofLoss = lossSchema.parse({ kind: "crossEntropy", ...options });
      const some = datasetOf(drawn, of);
      const { train } = layOutSequences(some, { loss: ofLoss }, { ...settings, seed: 3 });
      const counted = createLoss(ofLoss, { numTargets: 4 });
      if (counted.targetKind !== "classes") throw new Error("not of classes");
      for (let epochStep = 0; epochStep < Math.ceil(count / settings.batchSize); epochStep++) {
        const place = { epoch: 1, epochStep };
        let ofStep = 0;
        for (const leaf of [0, 1]) {
          // Alone in its batch, so that the loss may read the arrays as they are.
          const batch: SequenceBatch = train.batch(place, [leaf]);
          const { lossWeight } = counted.evaluate({
            outputs: new Float32Array(batch.targets.length * 4),
            numRows: batch.numRows,
            targets: batch.targets as Int32Array,
            weights: batch.weights,
          });
          expect(train.expectedLeaf(place, leaf).lossWeight).toBe(lossWeight);
          ofStep += lossWeight;
        }
        expect(train.lossWeightAt(place)).toBe(ofStep);
      }
    };
    fc.assert(fc.property(lengthsAndWeights, fc.record({ of, classWeights }), check));
  });

  it("are weighed and named without a batch of them", () => {
    const samples = {
      ...dataset.samples,
      get inputs(): never {
        throw new Error("the inputs are read");
      },
    };
    const { train } = layOutSequences({ ...dataset, samples }, { loss }, { ...settings, seed: 3 });
    const place = { epoch: 0, epochStep: 0 };
    expect(train.lossWeightAt(place)).toBeGreaterThan(0);
    expect(train.describe(place, [1])).toMatch(/^training sequences \d+, \d+$/);
    expect(() => train.batch(place, [1])).toThrow("the inputs are read");
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
