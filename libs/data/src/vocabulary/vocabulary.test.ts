import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createVocabulary, MAX_SYMBOLS, vocabularyOf } from "./vocabulary.js";

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });

describe("vocabularyOf", () => {
  it("numbers the distinct code points in ascending order from 1", () => {
    // U+FF5E is one unit above the surrogates of U+1F600: code point order, not UTF-16 order.
    expect(vocabularyOf("b\u{1F600}a\uFF5Eb\n").symbols).toEqual([
      "",
      "\n",
      "a",
      "b",
      "\uFF5E",
      "\u{1F600}",
    ]);
  });

  it("gives back every text it was made of", () => {
    fc.assert(
      fc.property(text, (value) => {
        const vocabulary = vocabularyOf(value);
        expect(vocabulary.decode(vocabulary.encode(value))).toBe(value);
        expect(vocabulary.encode(value)).toHaveLength(Array.from(value).length);
      }),
    );
  });

  it("holds 65535 symbols and refuses one more", () => {
    const codePoints = Array.from({ length: MAX_SYMBOLS + 1 }, (_, i) => 0x10000 + i);
    const fits = String.fromCodePoint(...codePoints.slice(1));
    expect(vocabularyOf(fits).encode(fits).at(-1)).toBe(65535);
    expect(() => vocabularyOf(String.fromCodePoint(...codePoints))).toThrow(
      expect.objectContaining({
        code: "tooManySymbols",
        message: "the training part has 65536 different symbols; at most 65535 are allowed",
      }),
    );
  });
});

describe("a vocabulary", () => {
  const vocabulary = createVocabulary(["", "a", "b", "\u{1F600}"]);

  it("encodes what it does not know as 0 and decodes 0 as the replacement character", () => {
    expect([...vocabulary.encode("az\u{1F600}\uD83D")]).toEqual([1, 0, 3, 0]);
    expect(vocabulary.decode([1, 0, 3])).toBe("a\uFFFD\u{1F600}");
  });

  it("knows single symbols only", () => {
    expect(["a", "b", "\u{1F600}", "", "ab", "c"].map((s) => vocabulary.idOf(s))).toEqual([
      1, 2, 3, 0, 0, 0,
    ]);
  });

  it.each([4, -1, 0.5, NaN])("refuses to decode id %d", (id) => {
    expect(() => vocabulary.decode([1, id])).toThrow(
      expect.objectContaining({
        code: "invalidVocabulary",
        message: expect.stringContaining("0 to 3"),
      }),
    );
  });

  it("does not change with the list it was made of", () => {
    const symbols = ["", "a"];
    const made = createVocabulary(symbols);
    symbols.push("b");
    expect(made.size).toBe(2);
    expect(made.symbols).toEqual(["", "a"]);
  });
});

describe("createVocabulary", () => {
  it.each([
    ["no unknown symbol", []],
    ["a letter for the unknown symbol", ["a"]],
    ["a second empty symbol", ["", ""]],
    ["two code points in one", ["", "ab"]],
    ["a symbol twice", ["", "a", "a"]],
    ["symbols out of order", ["", "b", "a"]],
    ["symbols in UTF-16 order", ["", "\u{1F600}", "\uFF5E"]],
  ])("refuses %s", (_what, symbols) => {
    expect(() => createVocabulary(symbols)).toThrow(
      expect.objectContaining({ code: "invalidVocabulary" }),
    );
  });
});
