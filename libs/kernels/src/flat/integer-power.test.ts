import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { integerPower } from "./integer-power.js";

const bitsOf = (value: number): string => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
};

describe("integerPower", () => {
  // Computed by CPython from the definition: squares, and products from the lowest bit on.
  it.each([
    [0.9, 0, "3ff0000000000000"],
    [0.9, 1, "3feccccccccccccd"],
    [0.9, 7, "3fde9c6a99d1cdc0"],
    [0.999, 700, "3fdfc53460830dd2"],
    [0.999, 65_537, "3a0527294ef1675a"],
    [0.9999, 123_456, "3ed23aa80267951b"],
    [0.5, 1074, "0000000000000001"],
    [0.9, 2 ** 31 + 5, "0000000000000000"],
    [0, 3, "0000000000000000"],
  ])("of %d to the %d has defined bits", (base, exponent, bits) => {
    expect(bitsOf(integerPower(base, exponent))).toBe(bits);
  });

  it("is the power, up to the roundings of the squares", () => {
    const shares = fc.double({ min: 0.1, max: 1, noNaN: true });
    fc.assert(
      fc.property(shares, fc.nat(2000), (base, exponent) => {
        const expected = Math.pow(base, exponent);
        fc.pre(expected > 1e-290);
        // Each squaring doubles the relative error of what it squares.
        const tolerance = 2 ** -52 * (exponent + 2);
        expect(Math.abs(integerPower(base, exponent) / expected - 1)).toBeLessThan(tolerance);
      }),
    );
  });
});
