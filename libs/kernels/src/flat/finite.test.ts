import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { firstNonFinite } from "./finite.js";

describe("firstNonFinite", () => {
  it("agrees with Number.isFinite on every kind of value", () => {
    fc.assert(
      fc.property(fc.float32Array(), (values) => {
        expect(firstNonFinite(values)).toBe(values.findIndex((value) => !Number.isFinite(value)));
      }),
    );
  });

  it("takes the extremes of float32 for finite", () => {
    const largest = (2 - 2 ** -23) * 2 ** 127;
    expect(firstNonFinite(Float32Array.of(0, -0, 2 ** -149, largest, -largest))).toBe(-1);
    expect(firstNonFinite(new Float32Array(0))).toBe(-1);
  });

  it("finds NaNs of either sign and any payload", () => {
    for (const pattern of [0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff]) {
      const values = new Float32Array(Uint32Array.of(0, pattern).buffer);
      expect(firstNonFinite(values)).toBe(1);
    }
  });

  it("looks at no value outside a view", () => {
    const whole = Float32Array.of(NaN, 1, 2, Infinity, NaN);
    expect(firstNonFinite(whole.subarray(1, 3))).toBe(-1);
    expect(firstNonFinite(whole.subarray(1))).toBe(2);
  });
});
