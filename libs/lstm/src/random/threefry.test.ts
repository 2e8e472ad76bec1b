import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fillWords, threefry2x32 } from "./threefry.js";
import type { Word64 } from "./threefry.js";

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const word64 = fc.tuple(word, word);

describe("threefry2x32", () => {
  // The known-answer vectors of the Random123 library (kat_vectors: threefry 2x32, 20 rounds).
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] satisfies [Word64, Word64, Word64][])(
    "has the published result for key %o",
    (key, counter, expected) => {
      expect(threefry2x32(key, counter)).toEqual(expected);
    },
  );

  it("changes half of the bits when one bit of the counter or key changes", () => {
    const popCount = (value: number): number => value.toString(2).replaceAll("0", "").length;
    let changed = 0;
    let numPairs = 0;
    for (let bit = 0; bit < 32; bit++) {
      const flipped = (1 << bit) >>> 0;
      const base = threefry2x32([1, 2], [3, 4]);
      const others: Word64[] = [
        threefry2x32([(1 ^ flipped) >>> 0, 2], [3, 4]),
        threefry2x32([1, (2 ^ flipped) >>> 0], [3, 4]),
        threefry2x32([1, 2], [(3 ^ flipped) >>> 0, 4]),
        threefry2x32([1, 2], [3, (4 ^ flipped) >>> 0]),
      ];
      for (const other of others) {
        changed += popCount((base[0] ^ other[0]) >>> 0) + popCount((base[1] ^ other[1]) >>> 0);
        numPairs++;
      }
    }
    // 128 pairs of 64 bits: 4096 of 8192 expected, with a standard deviation of √(8192/4) = 45.
    expect(numPairs).toBe(128);
    expect(Math.abs(changed - 4096)).toBeLessThan(5 * 45);
  });
});

describe("fillWords", () => {
  /** Word by word from the definition. */
  const wordsOf = (key: Word64, first: number, count: number): Uint32Array =>
    Uint32Array.from({ length: count }, (_, i) => {
      const block = Math.floor((first + i) / 2);
      const counter: Word64 = [block % 2 ** 32, Math.floor(block / 2 ** 32)];
      return threefry2x32(key, counter)[(first + i) % 2 === 0 ? 0 : 1];
    });

  it("has the words of the definition at any place and length", () => {
    const place = fc.oneof(
      fc.nat(100),
      fc.maxSafeNat().map((at) => Math.max(0, at - 100)),
    );
    fc.assert(
      fc.property(word64, place, fc.nat(9), (key, first, count) => {
        const words = new Uint32Array(count);
        fillWords(key, first, words);
        expect(words).toEqual(wordsOf(key, first, count));
      }),
    );
  });

  it("carries from the low into the high half of the counter", () => {
    // Words 2^33 − 2 to 2^33 + 1 are the blocks 2^32 − 1 and 2^32.
    const words = new Uint32Array(4);
    fillWords([5, 6], 2 ** 33 - 2, words);
    expect([...words]).toEqual([
      ...threefry2x32([5, 6], [2 ** 32 - 1, 0]),
      ...threefry2x32([5, 6], [0, 1]),
    ]);
  });
});
