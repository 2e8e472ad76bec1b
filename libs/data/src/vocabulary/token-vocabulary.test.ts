import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareCodePoints, createTokenVocabulary } from "./token-vocabulary.js";

describe("a vocabulary of characters", () => {
  const vocabulary = createTokenVocabulary({
    form: "characters",
    tokens: ["a", "é", "\uFB00", "😀"],
    firstId: 3,
  });

  it("gives one id a code point, and the unknown one to others", () => {
    expect(vocabulary.size).toBe(7);
    expect(vocabulary.encode("a😀x\uFB00")).toEqual(Int32Array.of(3, 6, 0, 5));
  });

  it("writes a string, with U+FFFD for what is no token", () => {
    expect(vocabulary.decode([6, 4, 0, 1, 2])).toBe("😀é\uFFFD\uFFFD\uFFFD");
    expect(vocabulary.decode([])).toBe("");
  });

  it.each([7, -1, 0.5, NaN])("refuses the id %d", (id) => {
    expect(() => vocabulary.decode([id])).toThrow(
      expect.objectContaining({ code: "invalidVocabulary" }),
    );
  });
});

describe("a vocabulary of tokens", () => {
  it("reads and writes lists", () => {
    const vocabulary = createTokenVocabulary({
      form: "tokens",
      tokens: ["be", "to"],
      firstId: 1,
    });
    expect(vocabulary.encode(["to", "not", "be"])).toEqual(Int32Array.of(2, 0, 1));
    expect(vocabulary.decode([2, 0, 1])).toEqual(["to", "\uFFFD", "be"]);
  });

  it("has any tokens back from their ids", () => {
    const words = fc.uniqueArray(fc.string({ unit: "binary", minLength: 1 }));
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 3 }), (drawn, firstId) => {
        const tokens = drawn.toSorted(compareCodePoints);
        const vocabulary = createTokenVocabulary({ form: "tokens", tokens, firstId });
        expect(vocabulary.decode(vocabulary.encode(drawn))).toEqual(drawn);
        expect(vocabulary.encode(tokens)).toEqual(Int32Array.from(tokens, (_, n) => firstId + n));
      }),
    );
  });

  it.each([
    ["tokens", ["b", "a"], 'token 1 is "a"; tokens must be not empty and in ascending order'],
    ["tokens", ["a", "a"], 'token 1 is "a"'],
    ["tokens", [""], 'token 0 is ""'],
    ["characters", ["ab"], 'token 0 is "ab"; tokens must be single code points in ascending'],
    ["characters", [""], 'token 0 is ""'],
  ] as const)("of %s refuses %j", (form, tokens, message) => {
    expect(() => createTokenVocabulary({ form, tokens, firstId: 1 })).toThrow(
      expect.objectContaining({
        code: "invalidVocabulary",
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe("the order of tokens", () => {
  it("is that of their code points, not of their UTF-16 units", () => {
    // U+FB00 is one unit above the surrogates that U+1F600 begins with.
    expect(["😀", "\uFB00", "b", "ab", "a", "a😀", "a\uFB00"].toSorted(compareCodePoints)).toEqual([
      "a",
      "ab",
      "a\uFB00",
      "a😀",
      "b",
      "\uFB00",
      "😀",
    ]);
  });

  it("is that of the numbers that UTF-32 would be", () => {
    const text = fc.string({ unit: "binary", maxLength: 4 });
    const utf32 = (value: string): Buffer =>
      Buffer.concat(
        Array.from(value, (symbol) => {
          const bytes = Buffer.alloc(4);
          bytes.writeUInt32BE(symbol.codePointAt(0)!);
          return bytes;
        }),
      );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(utf32(a), utf32(b)));
      }),
    );
  });
});
