import { describe, expect, it } from "vitest";

import { bitsPerSymbol } from "./bits.js";

describe("bitsPerSymbol", () => {
  it("is the number of yes-or-no questions: 5 for one of 32 symbols with equal chances", () => {
    expect(bitsPerSymbol(Math.log(32))).toBeCloseTo(5, 14);
    expect(bitsPerSymbol(0)).toBe(0);
  });
});
