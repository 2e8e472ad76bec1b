import { describe, expect, it } from "vitest";

import { scaleInto } from "./scale.js";

describe("scaleInto", () => {
  it("rounds the factor to float32 before it multiplies", () => {
    // 1 + 2^-24 rounds to 1. In float64 the product would be 3 × 2^22 + 0.75, and round up.
    const values = Float32Array.of(3 * 2 ** 22, 2);
    const out = new Float32Array(2);
    scaleInto(values, 1 + 2 ** -24, out);
    expect([...out]).toEqual([3 * 2 ** 22, 2]);
  });

  it("rounds each product to float32", () => {
    // (1 + 2^-23)² = 1 + 2^-22 + 2^-46, and the last term is lost.
    const values = Float32Array.of(1 + 2 ** -23);
    scaleInto(values, 1 + 2 ** -23, values);
    expect([...values]).toEqual([1 + 2 ** -22]);
  });

  it("refuses different lengths", () => {
    expect(() => scaleInto(new Float32Array(1), 2, new Float32Array(2))).toThrow(
      new RangeError("out has 2 values; it must have as many as values: 1"),
    );
  });
});
