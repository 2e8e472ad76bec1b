import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { decodeDataset, encodeDataset } from "../any-dataset.js";
import { codecChecks, assembledStart } from "../../test/support/codec-checks.js";
import { madeDataset } from "../../test/support/made-dataset.js";

/** A data set, assembled by hand from the format's description. */
function assemble(
  header: string,
  entries: readonly (readonly ["u" | "f" | "i", number])[],
): Buffer {
  const rest = Buffer.alloc(4 * entries.length);
  for (const [i, [type, value]] of entries.entries()) {
    if (type === "u") rest.writeUInt32LE(value, 4 * i);
    else if (type === "i") rest.writeInt32LE(value, 4 * i);
    else rest.writeFloatLE(value, 4 * i);
  }
  return Buffer.concat([assembledStart(header), rest]);
}

const header =
  '{"kind":"sequences","inputs":{"kind":"values","size":1},' +
  '"targets":{"kind":"classes","of":"lastStep","size":3,"ignored":-100},' +
  '"splits":{"train":1,"validation":1,"test":1}}';
/** Lengths 1, 2, 1; weights 1; four input values; three classes. */
const entries: readonly (readonly ["u" | "f" | "i", number])[] = [
  ...([1, 2, 1] as const).map((length) => ["u", length] as const),
  ...([1, 1, 0.5] as const).map((weight) => ["f", weight] as const),
  ...([0.1, 0.2, 0.3, 0.4] as const).map((value) => ["f", value] as const),
  ...([2, 0, -100] as const).map((target) => ["i", target] as const),
];
const withEntry = (index: number, entry: readonly ["u" | "f" | "i", number]) =>
  entries.map((old, i) => (i === index ? entry : old));

const { refused, expectNoOtherLength, expectRoundTrips, expectMutationsSeen } = codecChecks({
  encode: encodeDataset,
  decode: decodeDataset,
});

describe("encoded sequences", () => {
  it("are the described bytes, and their SHA-256 is the digest", () => {
    const bytes = assemble(header, entries);
    const dataset = decodeDataset(bytes);
    if (dataset.kind !== "sequences") throw new Error("not sequences");
    expect(dataset.samples.inputs).toEqual(Float32Array.of(0.1, 0.2, 0.3, 0.4));
    expect(dataset.samples.targets).toEqual(Int32Array.of(2, 0, -100));
    expect(dataset.splits.test).toEqual({ first: 2, count: 1 });
    expect(dataset.longest).toBe(2);
    expect(dataset.digest).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(Buffer.from(encodeDataset(dataset)).equals(bytes)).toBe(true);
  });

  it("give back what was encoded, wherever in a buffer the bytes begin", () => {
    expectRoundTrips(madeDataset, (dataset) => dataset);
  });

  it("are refused when cut or extended anywhere", () => {
    expectNoOtherLength(assemble(header, entries));
  });

  it.each([
    ["another kind", assemble(header.replace('"sequences"', '"images"'), entries), "neither"],
    ["a space in the header", assemble(header.replace(":1,", ": 1,"), entries), "canonical"],
    [
      "an unknown kind of inputs",
      assemble(header.replace("values", "pixels"), entries),
      "not that of",
    ],
    ["an empty part", assemble(header.replace('"test":1', '"test":0'), entries), "not that of"],
    ["a size of 0", assemble(header.replace('"size":3', '"size":0'), entries), "not that of"],
    [
      "more sequences than bytes",
      assemble(header.replace('"train":1', '"train":2000000'), entries),
      "2000002 entries need",
    ],
    [
      "more sequences than allowed",
      assemble(header.replace('"train":1', '"train":2147483647'), entries),
      "at most 2097152",
    ],
    ["a length of 0", assemble(header, withEntry(1, ["u", 0])), "sequence 1 has no step"],
    ["a huge length", assemble(header, withEntry(1, ["u", 2 ** 32 - 1])), "4294967297 entries"],
    ["a weight of 0", assemble(header, withEntry(3, ["f", 0])), "weight of sequence 0 is 0"],
    ["a value that is no number", assemble(header, withEntry(6, ["f", NaN])), "value 0 is NaN"],
    [
      "an ignored class of values",
      assemble(header.replace('"classes"', '"values"'), entries),
      "not that of",
    ],
    ["a class that is neither known nor ignored", assemble(header, withEntry(10, ["i", -1])), "-1"],
    ["a class too large", assemble(header, withEntry(10, ["i", 3])), "target 0 is 3"],
  ])("are refused with %s", (_what, bytes, words) => {
    expect(refused(bytes)).toContain(words);
  });

  it("answer any mutation with a data set of another digest or a corruptDataset error", () => {
    expectMutationsSeen(madeDataset);
  });
});
