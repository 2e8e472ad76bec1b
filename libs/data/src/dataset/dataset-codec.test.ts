import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DataError } from "../data-error.js";
import { decodeDataset, encodeDataset } from "./dataset-codec.js";
import { createTextDataset } from "./split-text.js";

const dataset = fc
  .tuple(
    fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
    fc.constantFrom(0, 0.1, 0.3),
    fc.constantFrom(0, 0.1, 0.3),
  )
  .map(([text, validationFraction, testFraction]) =>
    createTextDataset(text, { validationFraction, testFraction }),
  );

/** An encoded data set, assembled by hand from the format's description. */
function assemble(o: {
  header: string;
  tokens: readonly number[];
  magic?: string;
  version?: number;
  headerBytes?: number;
}): Uint8Array {
  const header = Buffer.from(o.header);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(o.version ?? 1, 0);
  numbers.writeUInt32LE(o.headerBytes ?? header.length, 4);
  const tokens = Buffer.from(o.tokens.flatMap((token) => [token & 0xff, token >> 8]));
  return Buffer.concat([Buffer.from(o.magic ?? "ostidata"), numbers, header, tokens]);
}

// 'abba' and a validation part 'b?', no test part.
const header =
  '{"kind":"text","symbols":["","a","b"],"splits":{"train":4,"validation":2,"test":0}}';
const tokens = [1, 2, 2, 1, 2, 0];

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

describe("encodeDataset", () => {
  it("writes the described bytes, and their SHA-256 is the digest", () => {
    const made = createTextDataset("abbab?", { validationFraction: 0.34, testFraction: 0 });
    const bytes = assemble({ header, tokens });
    expect(Buffer.from(encodeDataset(made)).equals(bytes)).toBe(true);
    expect(made.digest).toBe(createHash("sha256").update(bytes).digest("hex"));
  });
});

describe("decodeDataset", () => {
  it("gives back what was encoded, wherever in a buffer the bytes begin", () => {
    fc.assert(
      fc.property(dataset, fc.nat(3), (given, shift) => {
        const bytes = encodeDataset(given);
        const shifted = new Uint8Array(shift + bytes.length).subarray(shift);
        shifted.set(bytes);
        const decoded = decodeDataset(shifted);
        expect(decoded.splits).toEqual(given.splits);
        expect(decoded.vocabulary.symbols).toEqual(given.vocabulary.symbols);
        expect(decoded.digest).toBe(given.digest);
      }),
    );
  });

  it("refuses every truncation and every extension", () => {
    const bytes = assemble({ header, tokens });
    for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length));
    refused(Buffer.concat([bytes, Buffer.from([0])]));
    refused(Buffer.concat([bytes, Buffer.from([1, 0])]));
  });

  it.each([
    ["another magic", assemble({ header, tokens, magic: "safetens" }), "safetens"],
    ["another version", assemble({ header, tokens, version: 2 }), "version is 2"],
    ["a huge header", assemble({ header, tokens, headerBytes: 2 ** 32 - 1 }), "4294967295 bytes"],
    ["a header that is not JSON", assemble({ header: '{"kind"', tokens: [] }), "not JSON"],
    ["a header of null", assemble({ header: "null", tokens: [] }), "not that of a text"],
    ["another kind", assemble({ header: header.replace("text", "pair"), tokens }), "canonical"],
    ["a space in the header", assemble({ header: `${header} `, tokens }), "canonical"],
    ["a further key", assemble({ header: header.replace("{", '{"x":1,'), tokens }), "canonical"],
    ["a negative count", assemble({ header: header.replace("0}", "-1}"), tokens }), "of a text"],
    ["a fraction", assemble({ header: header.replace("0}", "0.5}"), tokens }), "of a text"],
    ["a huge count", assemble({ header: header.replace("0}", "9e15}"), tokens }), "canonical"],
    [
      "a huge canonical count",
      assemble({ header: header.replace("0}", "9000000000000000}"), tokens }),
      "are given",
    ],
    [
      "symbols out of order",
      assemble({ header: header.replace('"a"', '"c"'), tokens }),
      "ascending",
    ],
    [
      "an id out of range",
      assemble({ header, tokens: [1, 2, 2, 1, 3, 0] }),
      "token 0 of validation",
    ],
    ["an unknown training symbol", assemble({ header, tokens: [1, 2, 0, 1, 2, 0] }), "unknown"],
    ["an unused symbol", assemble({ header, tokens: [1, 1, 1, 1, 2, 0] }), "symbol 2"],
  ])("refuses %s", (_what, bytes, words) => {
    const message = refused(bytes);
    expect(message).toContain(words);
    expect(message).not.toContain("\n");
  });

  it("answers any mutated encoding with a data set of another digest or a corruptDataset error", () => {
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      remove: fc.nat(3),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(dataset, fc.array(mutation, { minLength: 1, maxLength: 3 }), (given, changes) => {
        const original = Buffer.from(encodeDataset(given));
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
          expect(decoded.digest).not.toBe(given.digest);
          expect(Buffer.from(encodeDataset(decoded)).equals(bytes)).toBe(true);
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          expect(error.code).toBe("corruptDataset");
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("answers any bytes after a valid start with a corruptDataset error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        refused(bytes);
        refused(assemble({ header: Buffer.from(bytes).toString("latin1"), tokens: [] }));
      }),
    );
  });
});
