import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { sampleDigest } from "./sample-digest.js";
import { createTextLayout } from "./text-layout.js";
import type { TokenBatch } from "./token-batch.js";

const layout = createTextLayout({ numTokens: 50, batchSize: 5, sequenceLength: 4, microShards: 4 });
const tokens = Uint16Array.from({ length: 50 }, (_, i) => (i * 7) % 11);

const copyOf = (batch: TokenBatch): TokenBatch => structuredClone(batch);
const hex = (digest: Uint8Array): string => Buffer.from(digest).toString("hex");

describe("sampleDigest", () => {
  it("is the SHA-256 of the described bytes", () => {
    const batch: TokenBatch = {
      numSteps: 2,
      numRows: 2,
      inputs: Int32Array.of(9, 1, 9, 2),
      targets: Int32Array.of(9, 258, 9, 3),
      weights: Float32Array.of(1, 1, 1, 0), // row 1 ends after one time step
      positions: Uint32Array.of(9, 65536),
      leaves: [
        { leaf: 4, firstRow: 0, numRows: 1 },
        { leaf: 7, firstRow: 1, numRows: 1 },
      ],
    };
    // Row 1: position 65536, 1 sample; time step 0, input 1, target 258, weight 1.0 (0x3f800000).
    const bytes = "00000100 01000000 00000000 01000000 02010000 0000803f".replaceAll(" ", "");
    const expected = createHash("sha256").update(Buffer.from(bytes, "hex")).digest("hex");
    expect(hex(sampleDigest(batch, 7))).toBe(expected);
  });

  it("is that of no bytes for an empty leaf", () => {
    const empty = createTextLayout({
      numTokens: 9,
      batchSize: 1,
      sequenceLength: 2,
      microShards: 2,
    });
    // SHA-256 of the empty string, FIPS 180-4 example.
    expect(hex(empty.expectedLeaf(tokens.subarray(0, 9), 0, 0).digest)).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  it("changes with any input, target, weight or position of the leaf, and with no other", () => {
    const lastStep = layout.stepsPerEpoch - 1;
    const change = fc.record({
      array: fc.constantFrom("inputs" as const, "targets" as const, "weights" as const),
      epochStep: fc.constantFrom(0, 1, lastStep),
      at: fc.nat(),
      value: fc.integer({ min: 0, max: 12 }),
    });
    fc.assert(
      fc.property(change, ({ array, epochStep, at, value }) => {
        const batch = layout.batch(tokens, epochStep, [0, 1, 2, 3]);
        const changed = copyOf(batch);
        const entry = at % changed[array].length;
        fc.pre(changed[array][entry] !== value);
        // An input or target of weight 0 is no sample.
        fc.pre(array === "weights" || changed.weights[entry] !== 0);
        changed[array][entry] = value;
        const row = entry % batch.numRows;
        for (const { leaf, firstRow, numRows } of batch.leaves) {
          const isOwner = row >= firstRow && row < firstRow + numRows;
          const isSame = hex(sampleDigest(changed, leaf)) === hex(sampleDigest(batch, leaf));
          expect(isSame).toBe(!isOwner);
        }
      }),
      { numRuns: 500 },
    );
    const batch = layout.batch(tokens, 0, [0, 1, 2, 3]);
    for (let row = 0; row < batch.numRows; row++) {
      const changed = copyOf(batch);
      changed.positions[row]!++;
      const differing = batch.leaves.filter(
        ({ leaf }) => hex(sampleDigest(changed, leaf)) !== hex(sampleDigest(batch, leaf)),
      );
      expect(differing).toHaveLength(1);
    }
  });

  it("tells a moved mask apart even where all tokens are alike", () => {
    const batch = layout.batch(new Uint16Array(50), 0, [0]);
    const [first, second] = [copyOf(batch), copyOf(batch)];
    first.weights[0] = 0;
    second.weights[1] = 0;
    expect(hex(sampleDigest(first, 0))).not.toBe(hex(sampleDigest(second, 0)));
  });

  it("differs between every two slices of a text that repeats one symbol", () => {
    const digests = new Set<string>();
    for (let epochStep = 0; epochStep < layout.stepsPerEpoch; epochStep++) {
      for (let leaf = 0; leaf < 4; leaf++) {
        digests.add(hex(layout.expectedLeaf(new Uint16Array(50), epochStep, leaf).digest));
      }
    }
    expect(digests.size).toBe(4 * layout.stepsPerEpoch);
  });

  it("refuses a leaf that the batch does not have", () => {
    expect(() => sampleDigest(layout.batch(tokens, 0, [1, 2]), 3)).toThrow(
      expect.objectContaining({
        code: "invalidLayout",
        message: "leaf 3 is not in the batch; it has [1, 2]",
      }),
    );
  });
});
