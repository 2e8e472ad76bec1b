import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { decodeDataset, encodeDataset } from "../any-dataset.js";
import { assembledStart, codecChecks } from "../../test/support/codec-checks.js";
import { madePairs } from "../../test/support/made-pairs.js";
import { decodePairs, encodePairs } from "./pair-codec.js";
import type { PairDataset } from "./pair-dataset.js";

/** A data set, assembled by hand from the format's description. */
const assemble = (header: string, entries: readonly Buffer[]): Buffer =>
  Buffer.concat([assembledStart(header), ...entries]);

const entry = (write: (bytes: Buffer) => void): Buffer => {
  const bytes = Buffer.alloc(4);
  write(bytes);
  return bytes;
};
const unsigned = (value: number): Buffer => entry((bytes) => bytes.writeUInt32LE(value));
const signed = (value: number): Buffer => entry((bytes) => bytes.writeInt32LE(value));
const float = (value: number): Buffer => entry((bytes) => bytes.writeFloatLE(value));

const header =
  '{"kind":"pairs","source":{"form":"characters","tokens":["a","b"]},' +
  '"target":{"form":"tokens","tokens":["one"]},"splits":{"train":1,"validation":1,"test":1}}';
/** Sources ab, a and unknown; targets one one, none and unknown. */
const entries: readonly Buffer[] = [
  ...[2, 1, 1].map(unsigned),
  ...[2, 0, 1].map(unsigned),
  ...[1, 0.5, 2].map(float),
  ...[1, 2, 1, 0].map(signed),
  ...[3, 3, 0].map(signed),
];
const withEntry = (index: number, changed: Buffer): readonly Buffer[] =>
  entries.map((old, i) => (i === index ? changed : old));

const { refused, expectNoOtherLength, expectRoundTrips, expectMutationsSeen } = codecChecks({
  encode: encodePairs,
  decode: decodePairs,
});

/** What of a data set is plain: functions are equal to none but themselves. */
const plain = ({ vocabularies, ...rest }: PairDataset): unknown => ({
  ...rest,
  vocabularies: Object.values(vocabularies).map(({ form, tokens, firstId, size }) => ({
    ...{ form, tokens, firstId, size },
  })),
});

describe("encoded pairs", () => {
  it("are the described bytes, and their SHA-256 is the digest", () => {
    const bytes = assemble(header, entries);
    const dataset = decodeDataset(bytes);
    if (dataset.kind !== "pairs") throw new Error("not pairs");
    expect(dataset.vocabularies.source.encode("ba")).toEqual(Int32Array.of(2, 1));
    expect(dataset.source).toEqual({
      lengths: Uint32Array.of(2, 1, 1),
      ids: Int32Array.of(1, 2, 1, 0),
    });
    expect(dataset.target).toEqual({
      lengths: Uint32Array.of(2, 0, 1),
      ids: Int32Array.of(3, 3, 0),
    });
    expect(dataset.weights).toEqual(Float32Array.of(1, 0.5, 2));
    expect(dataset.splits.test).toEqual({ first: 2, count: 1 });
    expect(dataset.digest).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(Buffer.from(encodeDataset(dataset)).equals(bytes)).toBe(true);
  });

  it("give back what was encoded, wherever in a buffer the bytes begin", () => {
    expectRoundTrips(madePairs, plain);
  });

  it("are refused when cut or extended anywhere", () => {
    expectNoOtherLength(assemble(header, entries));
  });

  it.each([
    ["another kind", assemble(header.replace('"pairs"', '"images"'), entries), "not that of pairs"],
    ["a space in the header", assemble(header.replace(":1,", ": 1,"), entries), "canonical"],
    ["an unknown form", assemble(header.replace("characters", "words"), entries), "not that of"],
    ["a token that is none", assemble(header.replace('"b"', "2"), entries), "not that of pairs"],
    ["tokens out of order", assemble(header.replace('"b"', '"A"'), entries), "source: token 1"],
    ["a character of two", assemble(header.replace('"b"', '"bc"'), entries), "source: token 1"],
    ["an empty part", assemble(header.replace('"test":1', '"test":0'), entries), "not that of"],
    [
      "more pairs than bytes",
      assemble(header.replace('"train":1', '"train":2000000'), entries),
      "2000002 entries need",
    ],
    [
      "more pairs than allowed",
      assemble(header.replace('"train":1', '"train":2097151'), entries),
      "at most 2097152",
    ],
    ["an empty source", assemble(header, withEntry(1, unsigned(0))), "source 1 has no token"],
    ["a huge target", assemble(header, withEntry(4, unsigned(2 ** 32 - 1))), "4294967298 entries"],
    ["a weight of 0", assemble(header, withEntry(6, float(0))), "weight of pair 0 is 0"],
    ["a weight that is no number", assemble(header, withEntry(6, float(NaN))), "value 0 is NaN"],
    ["an id too large", assemble(header, withEntry(9, signed(3))), "source token 0 is 3"],
    ["a negative id", assemble(header, withEntry(15, signed(-1))), "target token 2 is -1"],
    ["a start in a target", assemble(header, withEntry(15, signed(1))), "is 1, the start or the"],
    ["an end in a target", assemble(header, withEntry(15, signed(2))), "is 2, the start or the"],
    [
      "an unknown source token for training",
      assemble(header, withEntry(9, signed(0))),
      "its training part has an unknown source token",
    ],
    [
      "an unused source token",
      assemble(header, withEntry(10, signed(1))),
      "source token id 2 does not occur",
    ],
    [
      "an unknown target token for training",
      assemble(header, withEntry(13, signed(0))),
      "its training part has an unknown target token",
    ],
  ])("are refused with %s", (_what, bytes, words) => {
    expect(refused(bytes)).toContain(words);
  });

  it("answer any mutation with a data set of another digest or a corruptDataset error", () => {
    expectMutationsSeen(madePairs);
  });
});
