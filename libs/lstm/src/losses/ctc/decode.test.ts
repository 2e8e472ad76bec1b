import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { allCtcPaths, labelProbabilities } from "../../../test/support/ctc-paths.js";
import { LstmError } from "../../lstm-error.js";
import { ctcBeamSearchDecode, ctcGreedyDecode } from "./index.js";

const NUM_LABELS = 3;
/** Wider than the number of label sequences that the paths below give. */
const ALL = 1000;

const logits = fc.integer({ min: 0, max: 5 }).chain((numSteps) =>
  fc.array(
    fc.array(fc.float({ min: -3, max: 3, noNaN: true }), {
      minLength: NUM_LABELS,
      maxLength: NUM_LABELS,
    }),
    { minLength: numSteps, maxLength: numSteps },
  ),
);
const blanks = fc.integer({ min: 0, max: NUM_LABELS - 1 });

const requestFor = (row: readonly (readonly number[])[], blankIndex: number) => ({
  outputs: Float32Array.from(row.flat()),
  numRows: 1,
  numLabels: NUM_LABELS,
  inputLengths: Int32Array.of(row.length),
  blankIndex,
});

describe("ctcGreedyDecode", () => {
  it("gives the labels of the likeliest of all paths", () => {
    fc.assert(
      fc.property(logits, blanks, (row, blankIndex) => {
        const paths = allCtcPaths(row, blankIndex);
        const highest = Math.max(...paths.map(({ probability }) => probability));
        const best = paths.filter(({ probability }) => probability > highest * (1 - 1e-12));
        const [found] = ctcGreedyDecode(requestFor(row, blankIndex));
        expect(best.map(({ labels }) => labels)).toContainEqual(found!.labels);
        expect(found!.logProbability).toBeCloseTo(Math.log(highest), 10);
      }),
    );
  });
});

describe("ctcBeamSearchDecode", () => {
  it("with a wide beam finds every label sequence, with its probability, the likeliest first", () => {
    fc.assert(
      fc.property(logits, blanks, (row, blankIndex) => {
        const request = { ...requestFor(row, blankIndex), beamWidth: ALL };
        const found = ctcBeamSearchDecode(request)[0]!;
        const expected = labelProbabilities(allCtcPaths(row, blankIndex));
        expect(new Set(found.map(({ labels }) => labels.join()))).toEqual(new Set(expected.keys()));
        for (const { labels, logProbability } of found) {
          expect(logProbability).toBeCloseTo(Math.log(expected.get(labels.join())!), 10);
        }
        const order = found.map(({ logProbability }) => logProbability);
        expect(order).toEqual(order.toSorted((a, b) => b - a));
      }),
      { numRuns: 50 },
    );
  });

  it("finds labels that the best path misses", () => {
    // Blank has 0.6 and label 1 has 0.4 in both steps: the path of two blanks has 0.36, label 1 alone
    // 1 − 0.36 = 0.64 by three paths.
    const step = [Math.log(0.6), Math.log(0.4), -Infinity];
    const request = requestFor([step, step], 0);
    expect(ctcGreedyDecode(request)[0]!.labels).toEqual([]);
    const [best, second] = ctcBeamSearchDecode({ ...request, beamWidth: 2 })[0]!;
    expect(best!.labels).toEqual([1]);
    expect(best!.logProbability).toBeCloseTo(Math.log(0.64), 6);
    expect(second!.labels).toEqual([]);
  });

  it("keeps no more prefixes than the beam is wide, and never counts a path twice", () => {
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 3 }), (row, beamWidth) => {
        const found = ctcBeamSearchDecode({ ...requestFor(row, 0), beamWidth })[0]!;
        const exact = labelProbabilities(allCtcPaths(row, 0));
        expect(found.length).toBeGreaterThan(0);
        expect(found.length).toBeLessThanOrEqual(beamWidth);
        for (const { labels, logProbability } of found) {
          const bound = Math.log(exact.get(labels.join())!) + 1e-10;
          expect(logProbability).toBeLessThanOrEqual(bound);
        }
      }),
    );
  });
});

const decoders = [
  ["ctcGreedyDecode", ctcGreedyDecode],
  [
    "ctcBeamSearchDecode",
    (request: Parameters<typeof ctcGreedyDecode>[0]) =>
      ctcBeamSearchDecode({ ...request, beamWidth: 4 }),
  ],
] as const;

describe.each(decoders)("%s", (_, decode) => {
  it("gives a row what it gives it alone, and reads no step behind its length", () => {
    const rows = [
      [1, 3, 0, NaN, NaN, NaN],
      [0, 2, 0.5, 2, 1, 0],
    ];
    const outputs = Float32Array.from(
      [0, 1].flatMap((t) => rows.flatMap((r) => r.slice(3 * t, 3 * t + 3))),
    );
    const inputLengths = Int32Array.of(1, 2);
    const together = decode({ outputs, numRows: 2, numLabels: 3, inputLengths });
    const alone = rows.map((row, i) =>
      decode({
        outputs: Float32Array.from(row),
        numRows: 1,
        numLabels: 3,
        inputLengths: inputLengths.slice(i, i + 1),
      }),
    );
    expect(together).toEqual(alone.flat(1));
  });

  it.each([
    [{ numLabels: 0 }, "invalidBatch", "numLabels is 0; it must be a whole number from 1"],
    [{ blankIndex: 3 }, "invalidBatch", "blankIndex is 3; it must be a label from 0 to 2"],
    [
      { outputs: new Float32Array(4) },
      "invalidBatch",
      "outputs has 4 values; it must have a multiple of 1 rows × 3",
    ],
    [
      { inputLengths: Int32Array.of(3) },
      "invalidBatch",
      "row 0 has 3 steps; it must have from 0 to 2",
    ],
    [
      { outputs: Float32Array.of(0, 0, 0, 0, NaN, 0) },
      "invalidSampling",
      "the outputs at step 1, row 0 are no logits; they must be numbers below Infinity, one of them " +
        "above -Infinity",
    ],
  ] as const)("refuses %o", (wrong, code, message) => {
    const request = {
      outputs: new Float32Array(6),
      numRows: 1,
      numLabels: 3,
      inputLengths: Int32Array.of(2),
    };
    expect(() => decode({ ...request, ...wrong })).toThrow(
      new LstmError(code, `ctc decoding: ${message}`),
    );
  });
});

it.each([0, 1.5, NaN])("ctcBeamSearchDecode refuses a beam %d wide", (beamWidth) => {
  expect(() => ctcBeamSearchDecode({ ...requestFor([], 0), beamWidth })).toThrow(
    new LstmError(
      "invalidSampling",
      `ctc decoding: beamWidth is ${beamWidth}; it must be a whole number from 1`,
    ),
  );
});
