import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { decodeDataset, encodeDataset } from "./any-dataset.js";
import { beginEncoding, createTextDataset } from "./dataset/index.js";
import type { SequenceDataset } from "./sequences/index.js";
import { createTokenVocabulary } from "./vocabulary/index.js";

const text = createTextDataset("abcabcabc", { validationFraction: 0.2, testFraction: 0.2 });

const content = {
  inputs: { kind: "values", size: 1 },
  targets: { kind: "values", of: "lastStep", size: 1, ignored: null },
  samples: {
    lengths: Uint32Array.of(1, 1, 1),
    targetLengths: new Uint32Array(0),
    weights: Float32Array.of(1, 1, 1),
    inputs: Float32Array.of(1, 2, 3),
    targets: Float32Array.of(1, 2, 3),
  },
  splits: {
    train: { first: 0, count: 1 },
    validation: { first: 1, count: 1 },
    test: { first: 2, count: 1 },
  },
} as const;
const undigested: SequenceDataset = { kind: "sequences", ...content, longest: 1, digest: "" };
const digest = createHash("sha256").update(encodeDataset(undigested)).digest("hex");
const sequences: SequenceDataset = { ...undigested, digest };

describe("a data set of any kind", () => {
  it("is read back as what its header names", () => {
    for (const dataset of [text, sequences]) {
      expect(decodeDataset(encodeDataset(dataset)).digest).toBe(dataset.digest);
    }
    expect(decodeDataset(encodeDataset(sequences))).toEqual(sequences);
  });

  it.each(["null", "[]", '{"kind":"pictures"}', "{}"])("is none with the header %s", (header) => {
    const { bytes } = beginEncoding(new TextEncoder().encode(header), 0);
    expect(() => decodeDataset(bytes)).toThrow("its header is neither that of");
  });

  it("may have vocabularies whose header is larger than any text's", () => {
    const tokens = Array.from({ length: 70_000 }, (_, i) => `token-${String(i).padStart(9, "0")}`);
    const source = createTokenVocabulary({ form: "tokens", tokens, firstId: 1 });
    const target = createTokenVocabulary({ form: "tokens", tokens: [], firstId: 3 });
    // The training part has every token, as it must; the others have one each.
    const ids = [...tokens.map((_, i) => i + 1), 1, 2];
    const pairs = {
      kind: "pairs",
      ...{ vocabularies: { source, target }, digest: "" },
      source: { lengths: Uint32Array.of(tokens.length, 1, 1), ids: Int32Array.from(ids) },
      target: { lengths: new Uint32Array(3), ids: new Int32Array(0) },
      ...{ weights: Float32Array.of(1, 1, 1), splits: content.splits },
    } as const;
    const bytes = encodeDataset(pairs);
    expect(new DataView(bytes.buffer).getUint32(12, true)).toBeGreaterThan(2 ** 20);
    expect(Buffer.compare(encodeDataset(decodeDataset(bytes)), bytes)).toBe(0);
  });

  it("has no header that is larger than any kind's, however many bytes there are", () => {
    const header = new TextEncoder().encode(`{"kind":"text"${" ".repeat(2 ** 21)}}`);
    const { bytes } = beginEncoding(header, 0);
    expect(() => decodeDataset(bytes)).toThrow(
      /its header claims 20971\d\d bytes; at most 1\d{6} /,
    );
  });
});
