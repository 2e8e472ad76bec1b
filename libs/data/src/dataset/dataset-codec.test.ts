import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeDataset, encodeDataset } from "./dataset-codec.js";
import { createTextDataset } from "./split-text.js";
import { assembledStart, codecChecks } from "../../test/support/codec-checks.js";

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
  const tokens = Buffer.from(o.tokens.flatMap((token) => [token & 0xff, token >> 8]));
  return Buffer.concat([assembledStart(o.header, o), tokens]);
}

// 'abba' and a validation part 'b?', no test part.
const header =
  '{"kind":"text","symbols":["","a","b"],"splits":{"train":4,"validation":2,"test":0}}';
const tokens = [1, 2, 2, 1, 2, 0];

const { refused, expectNoOtherLength, expectRoundTrips, expectMutationsSeen } = codecChecks({
  encode: encodeDataset,
  decode: decodeDataset,
});

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
    expectRoundTrips(dataset, ({ splits, vocabulary, digest }) => {
      return { splits, symbols: vocabulary.symbols, digest };
    });
  });

  it("refuses every truncation and every extension", () => {
    expectNoOtherLength(assemble({ header, tokens }));
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
    expect(refused(bytes)).toContain(words);
  });

  it("answers any mutated encoding with a data set of another digest or a corruptDataset error", () => {
    expectMutationsSeen(dataset);
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
