import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareNaturally } from "./natural-order.js";

/** Names of few symbols, so that common starts, equal numbers and zeros in front are frequent. */
const name = fc.string({
  unit: fc.constantFrom("0", "1", "2", "10", "/", ".", "a", "B", "é", "\uFF5E", "\u{1F600}"),
  maxLength: 6,
});

describe("compareNaturally", () => {
  it("orders numbers by value, everything else by code point, a folder before longer names", () => {
    const names = [
      "Part 3",
      "part/9",
      "part1/2",
      "part01/2",
      "part1/10",
      "part2/1",
      "part10/1",
      "part99999999999999999998",
      "part99999999999999999999",
      "parts",
      "\u00E9",
      "\uFF5E",
      "\u{1F600}",
    ];
    // "part01/2" equals "part1/2" but for its zero, so "part1/10" comes after both.
    expect([...names].reverse().sort(compareNaturally)).toEqual(names);
  });

  it("is a total order", () => {
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        const [ab, bc, ac] = [
          compareNaturally(a, b),
          compareNaturally(b, c),
          compareNaturally(a, c),
        ].map(Math.sign) as [number, number, number];
        expect(ab === 0).toBe(a === b);
        expect(Math.sign(compareNaturally(b, a)) + ab).toBe(0);
        if (ab <= 0 && bc <= 0) expect(ac).toBe(Math.min(ab, bc));
      }),
      { numRuns: 5000 },
    );
  });
});
