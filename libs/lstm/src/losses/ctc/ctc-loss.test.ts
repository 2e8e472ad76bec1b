import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { allCtcPaths, labelProbabilities } from "../../../test/support/ctc-paths.js";
import { LstmError } from "../../lstm-error.js";
import type { LabelSequencesCall, LossTotals } from "../loss.js";
import { ctc } from "./index.js";

interface Outcome extends LossTotals {
  readonly outputGradient: Float32Array;
}

const NUM_LABELS = 3;
const loss = ctc(NUM_LABELS, { blankIndex: 0, zeroInfinity: false });
const forgiving = ctc(NUM_LABELS, { blankIndex: 0, zeroInfinity: true });

function outcomeOf(call: LabelSequencesCall, by = loss): Outcome {
  const outputGradient = new Float32Array(call.outputs.length).fill(NaN);
  return { ...by.gradient({ ...call, outputGradient }), outputGradient };
}

/** One row that all steps belong to. */
const oneRow = (logits: readonly (readonly number[])[], labels: readonly number[]) => ({
  outputs: Float32Array.from(logits.flat()),
  numRows: 1,
  inputLengths: Int32Array.of(logits.length),
  targets: Int32Array.from(labels),
  targetLengths: Int32Array.of(labels.length),
  weights: Float32Array.of(1),
});

const logit = fc.float({ min: -3, max: 3, noNaN: true });
const rowOf = (numSteps: number): fc.Arbitrary<number[][]> =>
  fc.array(fc.array(logit, { minLength: NUM_LABELS, maxLength: NUM_LABELS }), {
    minLength: numSteps,
    maxLength: numSteps,
  });

describe("ctc against all alignments, one by one", () => {
  const rows = fc.integer({ min: 0, max: 5 }).chain(rowOf);

  it("gives every label sequence its probability, and these sum to 1", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 2 }), (logits, blankIndex) => {
        const byBlank = ctc(NUM_LABELS, { blankIndex, zeroInfinity: false });
        let sum = 0;
        for (const [name, probability] of labelProbabilities(allCtcPaths(logits, blankIndex))) {
          const labels = name === "" ? [] : name.split(",").map(Number);
          const { lossSum } = byBlank.evaluate(oneRow(logits, labels));
          expect(lossSum).toBeCloseTo(-Math.log(probability), 10);
          sum += Math.exp(-lossSum);
        }
        expect(sum).toBeCloseTo(1, 12);
      }),
      { numRuns: 50 },
    );
  });

  it("has softmax less the label's share of the alignments as its gradient", () => {
    fc.assert(
      fc.property(rowOf(4), fc.nat(), (logits, choice) => {
        const paths = allCtcPaths(logits, 0);
        const { labels } = paths[choice % paths.length]!;
        const fitting = paths.filter((other) => other.labels.join() === labels.join());
        const total = fitting.reduce((sum, { probability }) => sum + probability, 0);
        const { outputGradient } = outcomeOf(oneRow(logits, labels));
        for (const [t, step] of logits.entries()) {
          const normalizer = step.reduce((sum, value) => sum + Math.exp(value), 0);
          for (const [k, value] of step.entries()) {
            const through = fitting.filter(({ path }) => path[t] === k);
            const share = through.reduce((sum, { probability }) => sum + probability, 0) / total;
            const expected = Math.exp(value) / normalizer - share;
            expect(outputGradient[t * NUM_LABELS + k]).toBeCloseTo(expected, 6);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** Three rows of 4 steps at most: some masked, some with fewer steps, labels that fit. */
const NUM_ROWS = 3;
const NUM_STEPS = 4;
const LONGEST = 2;
const calls: fc.Arbitrary<LabelSequencesCall> = fc
  .record({
    outputs: fc.array(logit, {
      minLength: NUM_STEPS * NUM_ROWS * NUM_LABELS,
      maxLength: NUM_STEPS * NUM_ROWS * NUM_LABELS,
    }),
    rows: fc.array(
      fc.record({
        steps: fc.integer({ min: 3, max: NUM_STEPS }),
        labels: fc.array(fc.constantFrom(1, 2), { maxLength: LONGEST }),
        weight: fc.constantFrom(0, 0.3, 1),
      }),
      { minLength: NUM_ROWS, maxLength: NUM_ROWS },
    ),
  })
  .map(({ outputs, rows }) => ({
    outputs: Float32Array.from(outputs),
    numRows: NUM_ROWS,
    inputLengths: Int32Array.from(rows, ({ steps }) => steps),
    targets: Int32Array.from(rows.flatMap(({ labels }) => [...labels, 1, 1].slice(0, LONGEST))),
    targetLengths: Int32Array.from(rows, ({ labels }) => labels.length),
    weights: Float32Array.from(rows, ({ weight }) => weight),
  }));

describe("rows and steps that do not count", () => {
  it("are neither read nor learnt from", () => {
    fc.assert(
      fc.property(calls, (call) => {
        const { outputs, inputLengths, targets, targetLengths, weights } = call;
        const isRead = (place: number): boolean => {
          const position = Math.floor(place / NUM_LABELS);
          const row = position % NUM_ROWS;
          return weights[row] !== 0 && Math.floor(position / NUM_ROWS) < inputLengths[row]!;
        };
        const isLabel = (place: number): boolean => {
          const row = Math.floor(place / LONGEST);
          return weights[row] !== 0 && place % LONGEST < targetLengths[row]!;
        };
        const spoilt: LabelSequencesCall = {
          ...call,
          outputs: outputs.map((value, i) => (isRead(i) ? value : NaN)),
          inputLengths: inputLengths.map((value, row) => (weights[row] === 0 ? 99 : value)),
          targets: targets.map((value, i) => (isLabel(i) ? value : -7)),
          targetLengths: targetLengths.map((value, row) => (weights[row] === 0 ? -7 : value)),
        };
        const outcome = outcomeOf(call);
        expect(outcomeOf(spoilt)).toEqual(outcome);
        for (const [i, value] of outcome.outputGradient.entries()) {
          if (!isRead(i)) expect(value).toBe(0);
        }
      }),
    );
  });
});

describe("a row", () => {
  const rowAlone = (call: LabelSequencesCall, row: number): LabelSequencesCall => ({
    outputs: call.outputs.filter((_, i) => Math.floor(i / NUM_LABELS) % NUM_ROWS === row),
    numRows: 1,
    inputLengths: call.inputLengths.slice(row, row + 1),
    targets: call.targets.slice(row * LONGEST, (row + 1) * LONGEST),
    targetLengths: call.targetLengths.slice(row, row + 1),
    weights: call.weights.slice(row, row + 1),
  });

  it("has the bits that it has alone, and the sum is over the rows in their order", () => {
    fc.assert(
      fc.property(calls, (call) => {
        const together = outcomeOf(call);
        const sums = { lossSum: 0, lossWeight: 0 };
        for (let row = 0; row < NUM_ROWS; row++) {
          const alone = outcomeOf(rowAlone(call, row));
          const of = rowAlone({ ...call, outputs: together.outputGradient }, row).outputs;
          expect(of).toEqual(alone.outputGradient);
          sums.lossSum += alone.lossSum;
          sums.lossWeight += alone.lossWeight;
        }
        expect(together).toMatchObject(sums);
      }),
    );
  });

  it("of 1000 steps does not underflow", () => {
    // All paths are equally likely, 3^-1000, which is no float64; label 1 is any run of steps in them.
    const logits = Array.from({ length: 1000 }, () => [0, 0, 0]);
    const { lossSum, outputGradient } = outcomeOf(oneRow(logits, [1]));
    expect(lossSum).toBeCloseTo(1000 * Math.log(3) - Math.log((1000 * 1001) / 2), 9);
    // A run covers the first step in 1000 of them.
    expect(outputGradient[1]).toBeCloseTo(1 / 3 - 2 / 1001, 6);
  });

  it.each([
    [[1, 1], 2],
    [[1, 2, 1], 2],
    [[2], 0],
  ])("with labels %j and %d steps is refused, or counts with loss 0", (labels, numSteps) => {
    const logits = Array.from({ length: numSteps }, () => [0, 0, 0]);
    const call = oneRow(logits, labels);
    const repeats = labels.filter((label, i) => label === labels[i - 1]).length;
    expect(() => loss.evaluate(call)).toThrow(
      new LstmError(
        "invalidBatch",
        `ctc loss: row 0 has ${numSteps} steps for ${labels.length} labels, ${repeats} of them equal ` +
          `to the one before; it must have at least ${labels.length + repeats} steps, its weight be 0, ` +
          "or zeroInfinity be true",
      ),
    );
    expect(outcomeOf(call, forgiving)).toEqual({
      lossSum: 0,
      lossWeight: 1,
      outputGradient: new Float32Array(3 * numSteps),
    });
  });

  it("without steps and labels is certain", () => {
    expect(outcomeOf(oneRow([], []))).toEqual({
      lossSum: 0,
      lossWeight: 1,
      outputGradient: new Float32Array(0),
    });
  });
});

describe("what ctc does not take", () => {
  const call: LabelSequencesCall = {
    outputs: new Float32Array(4 * 2 * NUM_LABELS),
    numRows: 2,
    inputLengths: Int32Array.of(4, 3),
    targets: Int32Array.of(1, 2, 2, 1),
    targetLengths: Int32Array.of(2, 1),
    weights: Float32Array.of(1, 1),
  };
  it.each([
    [
      { outputs: new Float32Array(9) },
      "outputs has 9 values; it must have a multiple of 2 rows × 3",
    ],
    [{ targets: Int32Array.of(1) }, "targets has 1 values; it must have a multiple of 2 rows × 1"],
    [{ inputLengths: Int32Array.of(1) }, "inputLengths has 1 values; it must have 2 rows × 1"],
    [{ targetLengths: Int32Array.of(1) }, "targetLengths has 1 values; it must have 2 rows × 1"],
    [{ weights: Float32Array.of(1) }, "weights has 1 values; it must have 2 rows × 1"],
    [
      { weights: Float32Array.of(1, NaN) },
      "the weight of row 1 is NaN; it must be a finite number from 0",
    ],
    [{ numRows: 1.5 }, "numRows is 1.5; it must be a whole number from 0"],
    [{ inputLengths: Int32Array.of(5, 1) }, "row 0 has 5 steps; it must have from 0 to 4"],
    [{ targetLengths: Int32Array.of(2, -1) }, "row 1 has -1 labels; it must have from 0 to 2"],
    [
      { targets: Int32Array.of(1, 0, 2, 0) },
      "label 1 of row 0 is 0; it must be a label from 0 to 2 other than the blank, 0",
    ],
    [
      { targets: Int32Array.of(1, 2, 3, 0) },
      "label 0 of row 1 is 3; it must be a label from 0 to 2 other than the blank, 0",
    ],
  ])("is named: %o", (wrong, message) => {
    expect(() => loss.evaluate({ ...call, ...wrong })).toThrow(
      new LstmError("invalidBatch", `ctc loss: ${message}`),
    );
  });
});
