import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createTextDataset } from "./split-text.js";

describe("createTextDataset", () => {
  it("takes the test part from the end and the validation part before it", () => {
    // 10 code points, one of them astral: floor(10 · 0.25) = 2 for validation, floor(10 · 0.2) = 2 for test.
    const dataset = createTextDataset("ab\u{1F600}cdeabcd", {
      validationFraction: 0.25,
      testFraction: 0.2,
    });
    const { vocabulary, splits } = dataset;
    expect(vocabulary.symbols).toEqual(["", "a", "b", "c", "d", "e", "\u{1F600}"]);
    expect([...splits.train]).toEqual([1, 2, 6, 3, 4, 5]);
    expect([...splits.validation]).toEqual([1, 2]);
    expect([...splits.test]).toEqual([3, 4]);
  });

  it("has symbols of the training part only; others are unknown", () => {
    const { vocabulary, splits } = createTextDataset("aabbXaYb", {
      validationFraction: 0.25,
      testFraction: 0.25,
    });
    expect(vocabulary.symbols).toEqual(["", "a", "b"]);
    expect([...splits.validation]).toEqual([0, 1]);
    expect([...splits.test]).toEqual([0, 2]);
  });

  it("puts the parts together to the whole text, for any text and fractions", () => {
    const fraction = fc.double({ min: 0, max: 0.49, noNaN: true });
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
        fraction,
        fraction,
        (text, validationFraction, testFraction) => {
          const { splits, vocabulary } = createTextDataset(text, {
            validationFraction,
            testFraction,
          });
          const symbols = Array.from(text);
          const tokens = [...splits.train, ...splits.validation, ...splits.test];
          expect(splits.validation).toHaveLength(Math.floor(symbols.length * validationFraction));
          expect(splits.test).toHaveLength(Math.floor(symbols.length * testFraction));
          expect(tokens).toEqual(symbols.map((symbol) => vocabulary.idOf(symbol)));
          expect([...splits.train]).not.toContain(0);
        },
      ),
    );
  });

  it("has a digest that follows the text and the split", () => {
    const digestOf = (text: string, validationFraction: number): string =>
      createTextDataset(text, { validationFraction, testFraction: 0 }).digest;
    expect(digestOf("abab", 0)).toMatch(/^[0-9a-f]{64}$/);
    expect(digestOf("abab", 0)).toBe(digestOf("abab", 0));
    // 'abab' and 'acac' have the same token ids: the symbols must count, too.
    const digests = [digestOf("abab", 0), digestOf("acac", 0), digestOf("abab", 0.5)];
    expect(new Set(digests).size).toBe(3);
  });

  it.each([
    [-0.1, 0.1, "validationFraction is -0.1"],
    [1, 0, "validationFraction is 1"],
    [0.1, NaN, "testFraction is NaN"],
    [0.5, 0.5, "add up to 1"],
  ])("refuses the fractions %d and %d", (validationFraction, testFraction, words) => {
    expect(() => createTextDataset("abc", { validationFraction, testFraction })).toThrow(
      expect.objectContaining({
        code: "invalidFraction",
        message: expect.stringContaining(words),
      }),
    );
  });

  it("refuses an empty text", () => {
    expect(() => createTextDataset("", { validationFraction: 0, testFraction: 0 })).toThrow(
      expect.objectContaining({ code: "textTooShort" }),
    );
  });
});
