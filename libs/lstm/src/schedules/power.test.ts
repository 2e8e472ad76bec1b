import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { power } from "./power.js";

describe("power", () => {
  // Exact in binary: 0.25^0.5, 0.25^1.5, (9/16)^2.5 = (3/4)^5, 0^x.
  it.each([
    [0.25, 0.5, 0.5],
    [0.25, 1.5, 0.125],
    [0.5625, 2.5, 243 / 1024],
    [0, 0.9, 0],
    [1, 0.9, 1],
    [0.7, 1, 0.7],
  ])("of %d to the %d is %d", (base, exponent, expected) => {
    expect(power(base, exponent)).toBe(expected);
  });

  it("is within 2e-14 of what the engine says", () => {
    const base = fc.double({ min: 1e-6, max: 1, noNaN: true });
    const exponent = fc.double({ min: 1e-3, max: 64, noNaN: true });
    fc.assert(
      fc.property(base, exponent, (x, n) => {
        const expected = x ** n;
        // Below that a float64 has fewer digits.
        fc.pre(expected > 1e-300);
        expect(Math.abs(power(x, n) / expected - 1)).toBeLessThan(2e-14);
      }),
    );
  });

  // √0.7 · 0.7^(1/4) · … of the digits of 0.9, by CPython with the same operations.
  it("has defined bits", () => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, power(0.7, 0.9));
    expect(view.getBigUint64(0).toString(16)).toBe("3fe7369f7d10f681");
  });
});
