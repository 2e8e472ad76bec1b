import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { sampleDigest } from "./sample-digest.js";
import { createTextLayout } from "./text-layout.js";
import type { TextLayout, TextLayoutOptions } from "./text-layout.js";

/** Tokens 1, 2, 3, …: the token at position p is p + 1, so that samples can be told apart. */
const counting = (numTokens: number): Uint16Array =>
  Uint16Array.from({ length: numTokens }, (_, i) => i + 1);

const options: fc.Arbitrary<TextLayoutOptions> = fc.record({
  numTokens: fc.integer({ min: 2, max: 300 }),
  batchSize: fc.integer({ min: 1, max: 12 }),
  sequenceLength: fc.integer({ min: 1, max: 9 }),
  microShards: fc.integer({ min: 1, max: 16 }),
  allowShort: fc.constant(true),
});

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const leavesOf = (layout: TextLayout): number[] => range(layout.microShards);

describe("createTextLayout", () => {
  // 12 tokens, P = 11, B = 2: row 0 has positions 0 to 4 (floor(11 / 2) = 5), row 1 has 5 to 10.
  // T = 4: the longest row, 6, takes ceil(6 / 4) = 2 steps, the second of 2 time steps.
  const small = { numTokens: 12, batchSize: 2, sequenceLength: 4, microShards: 2 };

  it("lays rows side by side, time-major, each target one token after its input", () => {
    const layout = createTextLayout(small);
    expect(layout.batch(counting(12), 0, [0, 1])).toEqual({
      numSteps: 4,
      numRows: 2,
      inputs: Int32Array.of(1, 6, 2, 7, 3, 8, 4, 9),
      targets: Int32Array.of(2, 7, 3, 8, 4, 9, 5, 10),
      weights: new Float32Array(8).fill(1),
      positions: Uint32Array.of(0, 5),
      leaves: [
        { leaf: 0, firstRow: 0, numRows: 1 },
        { leaf: 1, firstRow: 1, numRows: 1 },
      ],
    });
  });

  it("makes the last step short and masks the row that has ended", () => {
    const layout = createTextLayout(small);
    expect(layout.stepsPerEpoch).toBe(2);
    expect(layout.numSamples).toBe(11);
    expect([layout.numSamplesAt(0), layout.numSamplesAt(1)]).toEqual([8, 3]);
    expect(layout.batch(counting(12), 1, [1, 0])).toEqual({
      numSteps: 2,
      numRows: 2,
      inputs: Int32Array.of(10, 5, 11, 0),
      targets: Int32Array.of(11, 6, 12, 0),
      weights: Float32Array.of(1, 1, 1, 0),
      positions: Uint32Array.of(9, 4),
      leaves: [
        { leaf: 1, firstRow: 0, numRows: 1 },
        { leaf: 0, firstRow: 1, numRows: 1 },
      ],
    });
  });

  it("has as many time steps for a leaf whose rows have ended as for the others", () => {
    // P = 9, B = 2, T = 4: rows of 4 and 5 positions, the second step has one time step.
    const layout = createTextLayout({ ...small, numTokens: 10 });
    const ended = layout.batch(counting(10), 1, [0]);
    expect(ended).toMatchObject({ numSteps: 1, numRows: 1 });
    expect([...ended.weights, ...ended.inputs, ...ended.targets]).toEqual([0, 0, 0]);
    expect(layout.expectedLeaf(counting(10), 1, 0).numSamples).toBe(0);
  });

  it("gives leaves floor(l·B/M) to floor((l+1)·B/M) - 1, empty ones included", () => {
    // B = 3, M = 8: the bounds floor(3l/8) are 0 0 0 1 1 1 2 2 3.
    const layout = createTextLayout({
      numTokens: 40,
      batchSize: 3,
      sequenceLength: 2,
      microShards: 8,
    });
    expect(leavesOf(layout).map((leaf) => layout.rowsOf(leaf).numRows)).toEqual([
      0, 0, 1, 0, 0, 1, 0, 1,
    ]);
    const batch = layout.batch(counting(40), 0, [0, 1]);
    expect(batch).toMatchObject({ numSteps: 2, numRows: 0 });
    expect(batch.inputs).toHaveLength(0);
  });

  it("uses every target position exactly once an epoch, in steps that add up", () => {
    fc.assert(
      fc.property(options, (given) => {
        const layout = createTextLayout(given);
        const tokens = counting(given.numTokens);
        const uses = new Uint8Array(given.numTokens - 1);
        for (const epochStep of range(layout.stepsPerEpoch)) {
          let numSamples = 0;
          for (const leaf of leavesOf(layout)) {
            const batch = layout.batch(tokens, epochStep, [leaf]);
            for (const [entry, weight] of batch.weights.entries()) {
              if (weight === 0) continue;
              const time = Math.floor(entry / batch.numRows);
              const position = batch.positions[entry % batch.numRows]! + time;
              uses[position]!++;
              numSamples++;
              expect(weight).toBe(1);
              expect(batch.inputs[entry]).toBe(tokens[position]);
              expect(batch.targets[entry]).toBe(tokens[position + 1]);
            }
          }
          expect(numSamples).toBe(layout.numSamplesAt(epochStep));
          expect(numSamples).toBeGreaterThan(0);
        }
        expect(uses.every((count) => count === 1)).toBe(true);
        expect(layout.numSamples).toBe(given.numTokens - 1);
      }),
    );
  });

  it("continues each row where it stood, so that carried state fits", () => {
    fc.assert(
      fc.property(options, (given) => {
        const layout = createTextLayout(given);
        const tokens = counting(given.numTokens);
        const batches = range(layout.stepsPerEpoch).map((step) =>
          layout.batch(tokens, step, leavesOf(layout)),
        );
        for (const [step, batch] of batches.entries()) {
          const next = batches[step + 1];
          if (next === undefined) continue;
          for (let row = 0; row < batch.numRows; row++) {
            const weights = range(batch.numSteps).map(
              (t) => batch.weights[t * batch.numRows + row]!,
            );
            const numSamples = weights.reduce((sum, weight) => sum + weight, 0);
            expect(next.positions[row]).toBe(batch.positions[row]! + numSamples);
          }
        }
      }),
    );
  });

  it("makes of several leaves the batches of each, side by side in the order given", () => {
    const withLeaves = options.chain((given) =>
      fc.tuple(fc.constant(given), fc.shuffledSubarray(range(given.microShards))),
    );
    fc.assert(
      fc.property(withLeaves, fc.nat(), ([given, leaves], anyStep) => {
        const layout = createTextLayout(given);
        const tokens = counting(given.numTokens);
        const epochStep = anyStep % layout.stepsPerEpoch;
        const together = layout.batch(tokens, epochStep, leaves);
        expect(together.leaves.map((entry) => entry.leaf)).toEqual(leaves);
        let column = 0;
        for (const { leaf, firstRow, numRows } of together.leaves) {
          const alone = layout.batch(tokens, epochStep, [leaf]);
          expect(firstRow).toBe(column);
          expect(numRows).toBe(alone.numRows);
          expect(together.numSteps).toBe(alone.numSteps);
          for (let row = 0; row < numRows; row++, column++) {
            expect(together.positions[column]).toBe(alone.positions[row]);
            for (const name of ["inputs", "targets", "weights"] as const) {
              for (let time = 0; time < alone.numSteps; time++) {
                expect(together[name][time * together.numRows + column]).toBe(
                  alone[name][time * numRows + row],
                );
              }
            }
          }
          expect(sampleDigest(together, leaf)).toEqual(
            layout.expectedLeaf(tokens, epochStep, leaf).digest,
          );
        }
        expect(together.numRows).toBe(column);
      }),
    );
  });

  it("refuses a text that does not fill one step, naming what is needed and given", () => {
    const options = { batchSize: 8, sequenceLength: 16, microShards: 4 };
    expect(() => createTextLayout({ ...options, numTokens: 128 })).toThrow(
      expect.objectContaining({
        code: "textTooShort",
        message:
          "the text has 128 tokens; at least 129 are needed (batchSize 8 x sequenceLength 16 targets, and one)",
        details: { given: 128, needed: 129 },
      }),
    );
    expect(createTextLayout({ ...options, numTokens: 129 }).stepsPerEpoch).toBe(1);
  });

  it("names the part of the text that is too short, or that is another, where it has a name", () => {
    const named = { ...small, textName: "the validation part" };
    expect(() => createTextLayout({ ...named, numTokens: 3 })).toThrow(
      expect.objectContaining({
        code: "textTooShort",
        message: expect.stringMatching(/^the validation part has 3 tokens; at least 9 are needed/),
      }),
    );
    expect(() => createTextLayout(named).batch(counting(3), 0, [0])).toThrow(
      "the validation part has 3 tokens; this layout is of 12",
    );
  });

  it("takes a short text where that is allowed, down to one target", () => {
    const options = { batchSize: 8, sequenceLength: 16, microShards: 4, allowShort: true };
    const layout = createTextLayout({ ...options, numTokens: 2 });
    expect(
      layout.batch(Uint16Array.of(5, 6), 0, range(4)).weights.filter((w) => w === 1),
    ).toHaveLength(1);
    for (const numTokens of [0, 1]) {
      expect(() => createTextLayout({ ...options, numTokens })).toThrow(
        expect.objectContaining({ code: "textTooShort", details: { given: numTokens, needed: 2 } }),
      );
    }
  });

  it.each(["batchSize", "sequenceLength", "microShards", "numTokens"])(
    "refuses a %s of 1.5",
    (name) => {
      expect(() => createTextLayout({ ...small, [name]: 1.5 })).toThrow(
        expect.objectContaining({
          code: "invalidLayout",
          message: expect.stringContaining(`${name} is 1.5`),
        }),
      );
    },
  );

  it.each([
    ["a leaf that does not exist", 12, 0, [2]],
    ["a negative leaf", 12, 0, [-1]],
    ["a leaf named twice", 12, 0, [1, 1]],
    ["a step after the epoch", 12, 2, [0]],
    ["a step before it", 12, -1, [0]],
    ["another text", 11, 0, [0]],
  ])("refuses a batch of %s", (_what, numTokens, epochStep, leaves) => {
    const layout = createTextLayout(small);
    expect(() => layout.batch(counting(numTokens), epochStep, leaves)).toThrow(
      expect.objectContaining({ code: "invalidLayout" }),
    );
  });
});
