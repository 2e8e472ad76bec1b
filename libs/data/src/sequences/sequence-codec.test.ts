import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeDataset, encodeDataset } from "../any-dataset.js";
import { DataError } from "../data-error.js";
import { madeDataset } from "../../test/support/made-dataset.js";

/** A data set, assembled by hand from the format's description. */
function assemble(
  header: string,
  entries: readonly (readonly ["u" | "f" | "i", number])[],
): Buffer {
  const headerBytes = Buffer.from(header);
  const prefix = Buffer.alloc(16);
  prefix.write("ostidata");
  prefix.writeUInt32LE(1, 8);
  prefix.writeUInt32LE(headerBytes.length, 12);
  const rest = Buffer.alloc(4 * entries.length);
  for (const [i, [type, value]] of entries.entries()) {
    if (type === "u") rest.writeUInt32LE(value, 4 * i);
    else if (type === "i") rest.writeInt32LE(value, 4 * i);
    else rest.writeFloatLE(value, 4 * i);
  }
  return Buffer.concat([prefix, headerBytes, rest]);
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

const refused = (bytes: Uint8Array): string => {
  try {
    decodeDataset(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    expect(error).toHaveProperty("code", "corruptDataset");
    return (error as DataError).message;
  }
  throw new Error("the bytes were accepted");
};

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
    fc.assert(
      fc.property(madeDataset, fc.nat(3), (dataset, shift) => {
        const bytes = encodeDataset(dataset);
        const shifted = new Uint8Array(shift + bytes.length).subarray(shift);
        shifted.set(bytes);
        expect(decodeDataset(shifted)).toEqual(dataset);
      }),
    );
  });

  it("are refused when cut or extended anywhere", () => {
    const bytes = assemble(header, entries);
    for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length));
    refused(Buffer.concat([bytes, Buffer.alloc(4)]));
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
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      remove: fc.nat(5),
      insert: fc.uint8Array({ maxLength: 5 }),
    });
    fc.assert(
      fc.property(
        madeDataset,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (dataset, changes) => {
          const original = Buffer.from(encodeDataset(dataset));
          let bytes = original;
          for (const { at, remove, insert } of changes) {
            const offset = Math.floor(at * bytes.length);
            bytes = Buffer.concat([
              bytes.subarray(0, offset),
              insert,
              bytes.subarray(Math.min(bytes.length, offset + remove)),
            ]);
          }
          fc.pre(!bytes.equals(original));
          try {
            const decoded = decodeDataset(bytes);
            expect(decoded.digest).not.toBe(dataset.digest);
            expect(Buffer.from(encodeDataset(decoded)).equals(bytes)).toBe(true);
          } catch (error) {
            if (!(error instanceof DataError)) throw error;
            expect(error.code).toBe("corruptDataset");
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
