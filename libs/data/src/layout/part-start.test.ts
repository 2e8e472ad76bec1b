import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MAX_PARTS, partStart } from "./part-start.js";

describe("partStart", () => {
  it("is exact for every size and number of parts that is allowed", () => {
    const parts = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: MAX_PARTS }));
    const sizes = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 32 }));
    fc.assert(
      fc.property(sizes, parts, fc.nat(), (size, numParts, at) => {
        const index = at % (numParts + 1);
        const exact = (BigInt(index) * BigInt(size)) / BigInt(numParts);
        expect(partStart(index, size, numParts)).toBe(Number(exact));
      }),
      { numRuns: 2000 },
    );
  });

  it("is so where the plain product is not", () => {
    // Part 63 million of 2^26: the product is above 2^53.
    const [index, size, numParts] = [63_000_001, 2 ** 32 - 3, 2 ** 26 - 1];
    const exact = (BigInt(index) * BigInt(size)) / BigInt(numParts);
    expect(partStart(index, size, numParts)).toBe(Number(exact));
    expect(BigInt(index * size)).not.toBe(BigInt(index) * BigInt(size));
  });
});
