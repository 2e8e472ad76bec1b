import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../../lstm-error.js";
import type { ClassesLoss, ValuesLoss } from "../loss.js";
import {
  binaryCrossEntropy,
  crossEntropy,
  gaussian,
  huber,
  meanAbsolute,
  meanSquared,
  quantile,
  studentT,
} from "./index.js";

const K = 2;
const NUM_CLASSES = 5;
const VALUES_LOSSES: readonly ValuesLoss[] = [
  meanSquared(K),
  meanAbsolute(K),
  huber(K, { delta: 0.7 }),
  quantile(K, { quantiles: [0.1, 0.6] }),
  gaussian(K, { epsilon: 0.1 }),
  studentT(K, { epsilon: 0.1 }),
  binaryCrossEntropy(K, { positiveWeight: 3 }),
];
const CLASSES_LOSS = crossEntropy(NUM_CLASSES, {
  classWeights: [1, 2, 0.3, 1, 0.7],
  ignoredIndex: -1,
  labelSmoothing: 0.1,
});

interface Arrays {
  readonly outputs: Float32Array;
  readonly targets: Float32Array | Int32Array;
  readonly weights: Float32Array;
}

/** Any numbers that the loss takes, for `numPositions` positions. */
function arraysFor(loss: ValuesLoss | ClassesLoss, numPositions: number): fc.Arbitrary<Arrays> {
  const times = (value: fc.Arbitrary<number>, size: number): fc.Arbitrary<number[]> =>
    fc.array(value, { minLength: numPositions * size, maxLength: numPositions * size });
  const targets =
    loss.targetKind === "classes"
      ? times(fc.integer({ min: -1, max: NUM_CLASSES - 1 }), 1).map((t) => Int32Array.from(t))
      : times(fc.float({ min: 0, max: 1, noNaN: true }), K).map((t) => Float32Array.from(t));
  return fc.record({
    outputs: times(fc.float({ min: -4, max: 4, noNaN: true }), loss.outputSize).map((o) =>
      Float32Array.from(o),
    ),
    targets,
    weights: times(fc.constantFrom(0, 0.3, 1), 1).map((w) => Float32Array.from(w)),
  });
}

interface Outcome {
  readonly lossSum: number;
  readonly lossWeight: number;
  readonly outputGradient: Float32Array;
}

function outcomeOf(loss: ValuesLoss | ClassesLoss, arrays: Arrays, numRows = 1): Outcome {
  const outputGradient = new Float32Array(arrays.outputs.length).fill(NaN);
  const { targets, ...rest } = arrays;
  const call = { ...rest, numRows, outputGradient };
  const totals =
    loss.targetKind === "classes"
      ? loss.gradient({ ...call, targets: targets as Int32Array })
      : loss.gradient({ ...call, targets: targets as Float32Array });
  return { ...totals, outputGradient };
}

describe.each([...VALUES_LOSSES, CLASSES_LOSS])("$kind", (loss) => {
  const { outputSize, targetSize } = loss;

  it("neither reads nor learns from masked positions", () => {
    fc.assert(
      fc.property(arraysFor(loss, 4), (arrays) => {
        const { outputs, targets, weights } = arrays;
        const isMasked = (position: number): boolean =>
          weights[position] === 0 || (loss.targetKind === "classes" && targets[position] === -1);
        const spoilt = {
          weights,
          outputs: outputs.map((v, i) => (isMasked(Math.floor(i / outputSize)) ? NaN : v)),
          targets: targets.map((v, i) => (weights[Math.floor(i / targetSize)] === 0 ? NaN : v)),
        };
        const outcome = outcomeOf(loss, arrays);
        expect(outcomeOf(loss, spoilt)).toEqual(outcome);
        for (const [i, value] of outcome.outputGradient.entries()) {
          if (isMasked(Math.floor(i / outputSize))) expect(value).toBe(0);
        }
      }),
    );
  });

  it("gives each leaf the bits that it has alone", () => {
    fc.assert(
      fc.property(arraysFor(loss, 5), fc.integer({ min: 0, max: 5 }), (arrays, first) => {
        const { outputs, targets, weights } = arrays;
        const part = (from: number, to: number): Outcome =>
          outcomeOf(loss, {
            outputs: outputs.slice(from * outputSize, to * outputSize),
            targets: targets.slice(from * targetSize, to * targetSize),
            weights: weights.slice(from, to),
          });
        const apart = [part(0, first), part(first, 5)];
        const gradients = apart.flatMap(({ outputGradient }) => [...outputGradient]);
        expect([...outcomeOf(loss, arrays).outputGradient]).toEqual(gradients);
      }),
    );
  });

  it("adds up its positions in ascending order", () => {
    fc.assert(
      fc.property(arraysFor(loss, 5), (arrays) => {
        const { outputs, targets, weights } = arrays;
        const sums = { lossSum: 0, lossWeight: 0 };
        for (const [position] of weights.entries()) {
          const { lossSum, lossWeight } = outcomeOf(loss, {
            outputs: outputs.slice(position * outputSize, (position + 1) * outputSize),
            targets: targets.slice(position * targetSize, (position + 1) * targetSize),
            weights: weights.slice(position, position + 1),
          });
          sums.lossSum += lossSum;
          sums.lossWeight += lossWeight;
        }
        expect(outcomeOf(loss, arrays)).toMatchObject(sums);
      }),
    );
  });

  it("takes a leaf without positions", () => {
    const none = new Float32Array(0);
    const targets = loss.targetKind === "classes" ? new Int32Array(0) : none;
    const empty = { lossSum: 0, lossWeight: 0, outputGradient: none };
    expect(outcomeOf(loss, { outputs: none, targets, weights: none }, 0)).toEqual(empty);
  });

  it.each([
    ["outputs", 1, `outputs has 1 values; it must have 4 positions × ${outputSize}`],
    ["targets", 9, `targets has 9 values; it must have 4 positions × ${targetSize}`],
    ["outputGradient", 0, `outputGradient has 0 values; it must have 4 positions × ${outputSize}`],
    ["weights", 3, "weights has 3 values; it must have a multiple of 2 rows × 1"],
  ])("refuses %s of %d values", (name, length, message) => {
    const call = {
      outputs: new Float32Array(4 * outputSize),
      numRows: 2,
      targets: new Float32Array(4 * targetSize),
      weights: new Float32Array(4),
      outputGradient: new Float32Array(4 * outputSize),
      [name]: new Float32Array(length),
    };
    expect(() => (loss as ValuesLoss).gradient(call)).toThrow(
      new LstmError("invalidBatch", `${loss.kind} loss: ${message}`),
    );
  });

  it.each([-1, NaN, Infinity])("refuses a weight %d", (weight) => {
    const numbers = new Float32Array(4 * outputSize);
    const weights = Float32Array.of(1, 0, 0, weight);
    const targets =
      loss.targetKind === "classes" ? new Int32Array(4) : new Float32Array(4 * targetSize);
    expect(() => outcomeOf(loss, { outputs: numbers, targets, weights }, 2)).toThrow(
      `${loss.kind} loss: the weight at step 1, row 1 is ${weight}; it must be a finite number from 0`,
    );
  });
});

describe("targets that a loss does not take", () => {
  it.each(VALUES_LOSSES)("are named by $kind", (loss) => {
    const allowed = loss.kind === "binaryCrossEntropy" ? "a number from 0 to 1" : "a finite number";
    for (const wrong of [NaN, Infinity, ...(loss.kind === "binaryCrossEntropy" ? [1.5, -1] : [])]) {
      const arrays = {
        outputs: new Float32Array(6 * loss.outputSize),
        targets: new Float32Array(6 * K).with(5 * K + 1, wrong),
        weights: new Float32Array(6).fill(1),
      };
      expect(() => outcomeOf(loss, arrays, 3)).toThrow(
        new LstmError(
          "invalidBatch",
          `${loss.kind} loss: target value 1 at step 1, row 2 is ${wrong}; it must be ${allowed}, ` +
            "or the position's weight 0",
        ),
      );
    }
  });

  it.each([-2, NUM_CLASSES])("are named by crossEntropy", (wrong) => {
    const arrays = {
      outputs: new Float32Array(4 * NUM_CLASSES),
      targets: Int32Array.of(0, -1, wrong, 0),
      weights: new Float32Array(4).fill(1),
    };
    expect(() => outcomeOf(CLASSES_LOSS, arrays, 2)).toThrow(
      new LstmError(
        "invalidBatch",
        `crossEntropy loss: the target at step 1, row 0 is ${wrong}; it must be a class from 0 to 4, ` +
          "or -1 to be ignored",
      ),
    );
  });
});

describe("where a formula has a corner", () => {
  it("the gradient is 0 if output and target are equal", () => {
    for (const loss of [meanAbsolute(1), quantile(1, { quantiles: [0.1] })]) {
      const arrays = {
        outputs: Float32Array.of(2),
        targets: Float32Array.of(2),
        weights: Float32Array.of(1),
      };
      expect(outcomeOf(loss, arrays).outputGradient[0]).toBeCloseTo(0, 20);
    }
  });

  it("an impossible class that is not the target costs nothing", () => {
    const loss = crossEntropy(3, { classWeights: [], ignoredIndex: -1, labelSmoothing: 0 });
    const arrays = {
      outputs: Float32Array.of(0, -Infinity, 0),
      targets: Int32Array.of(2),
      weights: Float32Array.of(1),
    };
    const { lossSum, outputGradient } = outcomeOf(loss, arrays);
    expect(lossSum).toBeCloseTo(Math.log(2), 15);
    expect([...outputGradient]).toEqual([0.5, 0, -0.5]);
  });

  it("large outputs neither overflow nor lose the loss", () => {
    const wide = (loss: ValuesLoss, outputs: readonly number[]): number =>
      loss.evaluate({
        outputs: Float32Array.from(outputs),
        numRows: 1,
        targets: Float32Array.of(0),
        weights: Float32Array.of(1),
      }).lossSum;
    expect(wide(binaryCrossEntropy(1, { positiveWeight: 1 }), [1000])).toBe(1000);
    expect(wide(gaussian(1, { epsilon: 1 }), [0, -1000])).toBeCloseTo(0.5 * Math.log(2 * Math.PI));
    // With many degrees of freedom Student's t is the normal distribution.
    const softplusOfOne = Math.log1p(Math.E);
    const normal = Math.log(softplusOfOne) + 0.5 / softplusOfOne ** 2 + 0.5 * Math.log(2 * Math.PI);
    expect(wide(studentT(1, { epsilon: 1e-9 }), [1, 1, 2 ** 40])).toBeCloseTo(normal, 8);
  });
});
