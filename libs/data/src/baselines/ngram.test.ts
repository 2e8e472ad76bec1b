import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { trainNGram } from "./ngram.js";

const VOCABULARY_SIZE = 5;
const text = fc
  .array(fc.nat(VOCABULARY_SIZE - 1), { minLength: 1, maxLength: 60 })
  .map((ids) => Uint16Array.from(ids));
const order = fc.integer({ min: 1, max: 6 });

/** The formula of trainNGram's docstring, read off by scanning the training text anew each time. */
function scan(training: Uint16Array, context: readonly number[], symbol: number): number {
  const shorter =
    context.length === 0 ? 1 / VOCABULARY_SIZE : scan(training, context.slice(1), symbol);
  const followers: number[] = [];
  for (let i = context.length; i < training.length; i++) {
    if (context.every((id, k) => training[i - context.length + k] === id)) {
      followers.push(training[i]!);
    }
  }
  const numTypes = new Set(followers).size;
  if (numTypes === 0) return shorter;
  const count = followers.filter((id) => id === symbol).length;
  return (count + numTypes * shorter) / (followers.length + numTypes);
}

/** Numbers below 2^32, reproducible (mulberry32). */
function* randomNumbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield (mixed ^ (mixed >>> 14)) >>> 0;
  }
}

describe("trainNGram", () => {
  /*
   * Training text 1 2 1 over the ids 0, 1, 2.
   *   unigrams: C = 3, T = 2, so P(c) = (C(c) + 2/3) / 5:      P(1) = 8/15, P(2) = 1/3, P(0) = 2/15
   *   after 1:  C = 1, T = 1 (the last 1 precedes nothing):    P(2|1) = (1 + 1/3) / 2 = 2/3
   *                                                            P(1|1) = (0 + 8/15) / 2 = 4/15
   *   after 2:  C = 1, T = 1:                                  P(1|2) = (1 + 8/15) / 2 = 23/30
   *   after 12: C = 1, T = 1:                                  P(1|12) = (1 + 23/30) / 2 = 53/60
   *   after 21: C = 0, it occurs at the end only:              P(c|21) = P(c|1)
   *   after 0:  never seen:                                    P(c|0) = P(c)
   */
  const tiny = Uint16Array.of(1, 2, 1);
  const trigram = trainNGram(tiny, { order: 3, vocabularySize: 3 });

  it.each([
    { context: [], symbol: 1, expected: 8 / 15 },
    { context: [], symbol: 2, expected: 1 / 3 },
    { context: [], symbol: 0, expected: 2 / 15 },
    { context: [1], symbol: 2, expected: 2 / 3 },
    { context: [1], symbol: 1, expected: 4 / 15 },
    { context: [2], symbol: 1, expected: 23 / 30 },
    { context: [1, 2], symbol: 1, expected: 53 / 60 },
    { context: [2, 1], symbol: 2, expected: 2 / 3 },
    { context: [0], symbol: 1, expected: 8 / 15 },
    { context: [1, 0], symbol: 2, expected: 1 / 3 },
    { context: [0, 0, 1, 2], symbol: 1, expected: 53 / 60 },
  ])("gives P($symbol | $context) = $expected in the worked example", (row) => {
    expect(trigram.probability(Uint16Array.from(row.context), row.symbol)).toBeCloseTo(
      row.expected,
      14,
    );
  });

  it("begins contexts within the text it measures", () => {
    const bits = -(Math.log2(8 / 15) + Math.log2(2 / 3) + Math.log2(53 / 60)) / 3;
    expect(trigram.bitsPerSymbol(tiny)).toBeCloseTo(bits, 14);
  });

  it("agrees with scanning the training text by the formula", () => {
    fc.assert(
      fc.property(text, text, order, (training, context, n) => {
        const model = trainNGram(training, { order: n, vocabularySize: VOCABULARY_SIZE });
        const recent = [...context].slice(Math.max(0, context.length - (n - 1)));
        for (let symbol = 0; symbol < VOCABULARY_SIZE; symbol++) {
          const expected = scan(training, recent, symbol);
          expect(model.probability(context, symbol)).toBeCloseTo(expected, 12);
        }
      }),
    );
  });

  it("gives probabilities that add up to 1 over the vocabulary after any context", () => {
    fc.assert(
      fc.property(text, text, order, (training, context, n) => {
        const model = trainNGram(training, { order: n, vocabularySize: VOCABULARY_SIZE });
        let sum = 0;
        for (let symbol = 0; symbol < VOCABULARY_SIZE; symbol++) {
          const probability = model.probability(context, symbol);
          expect(probability).toBeGreaterThan(0);
          sum += probability;
        }
        expect(sum).toBeCloseTo(1, 12);
      }),
    );
  });

  it("measures the mean of -log2 P over all tokens", () => {
    fc.assert(
      fc.property(text, text, order, (training, measured, n) => {
        const model = trainNGram(training, { order: n, vocabularySize: VOCABULARY_SIZE });
        let bits = 0;
        for (const [i, token] of measured.entries()) {
          bits -= Math.log2(model.probability(measured.subarray(0, i), token));
        }
        expect(model.bitsPerSymbol(measured)).toBeCloseTo(bits / measured.length, 10);
      }),
    );
  });

  it("never gets below the entropy of a uniform random source", () => {
    // 8 equally likely symbols: 3 bits each. 20 000 of them scatter the mean by less than 0.02.
    const numbers = randomNumbers(7);
    const draw = (): Uint16Array =>
      Uint16Array.from({ length: 20_000 }, () => numbers.next().value >>> 29);
    const [training, held] = [draw(), draw()];
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const bits = trainNGram(training, { order: n, vocabularySize: 8 }).bitsPerSymbol(held);
      expect(bits).toBeGreaterThan(3 - 0.02);
      if (n === 1) expect(bits).toBeLessThan(3 + 0.02);
    }
  });

  it("handles the largest vocabulary at the highest order", () => {
    const tokens = Uint16Array.from({ length: 500 }, (_, i) => 65535 - (i % 7));
    const model = trainNGram(tokens, { order: 6, vocabularySize: 65536 });
    // After any of the 7 symbols the next one is certain but for smoothing: far below log2 7.
    expect(model.bitsPerSymbol(tokens)).toBeLessThan(0.2);
  });

  it.each([
    [{ order: 0, vocabularySize: 3 }, "order is 0; it must be an integer from 1 to 6"],
    [{ order: 7, vocabularySize: 3 }, "order is 7"],
    [{ order: 2.5, vocabularySize: 3 }, "order is 2.5"],
    [{ order: 2, vocabularySize: 2 }, "a token id is 2; it must be an integer from 0 to 1"],
    [{ order: 2, vocabularySize: 70_000 }, "vocabularySize is 70000"],
  ])("refuses %j", (options, words) => {
    expect(() => trainNGram(tiny, options)).toThrow(
      expect.objectContaining({ code: "invalidNGram", message: expect.stringContaining(words) }),
    );
  });

  it("refuses to learn from or measure nothing", () => {
    const nothing = new Uint16Array(0);
    const tooShort = expect.objectContaining({ code: "textTooShort" });
    expect(() => trainNGram(nothing, { order: 2, vocabularySize: 3 })).toThrow(tooShort);
    expect(() => trigram.bitsPerSymbol(nothing)).toThrow(tooShort);
    expect(() => trigram.probability(Uint16Array.of(3), 1)).toThrow(
      expect.objectContaining({ code: "invalidNGram" }),
    );
  });
});
