import { describe, expect, it } from "vitest";

import { addScaled, clampValues, scaleColumns, scaleValues } from "./scale.js";

const floats = (...values: number[]): Float32Array => Float32Array.of(...values);

describe("scaleValues", () => {
  it("rounds the scale before it multiplies, and the product", () => {
    // (1 + 2^-30) rounds to 1; 3·(1/3 as float32) is 1 + 2^-25, which rounds to 1.
    const out = new Float32Array(2);
    scaleValues(floats(1 + 2 ** -23, 3), 1 + 2 ** -30, out);
    expect(out).toEqual(floats(1 + 2 ** -23, 3));
    scaleValues(floats(3, -3), 1 / 3, out);
    expect(out).toEqual(floats(1, -1));
  });

  it("refuses different lengths", () => {
    expect(() => scaleValues(floats(1), 1, floats(1, 2))).toThrow(RangeError);
  });
});

describe("addScaled", () => {
  it("rounds the product before it is added", () => {
    // (1 + 2^-23)² = 1 + 2^-22 + 2^-46 rounds to 1 + 2^-22; what is left of that is exactly nothing.
    const values = floats(-(1 + 2 ** -22), 4);
    addScaled(values, 1 + 2 ** -23, floats(1 + 2 ** -23, 0));
    expect(values).toEqual(floats(0, 4));
  });

  it("refuses different lengths", () => {
    expect(() => {
      addScaled(floats(1), 1, floats(1, 2));
    }).toThrow(RangeError);
  });
});

describe("scaleColumns", () => {
  it("gives each column its own factor", () => {
    const values = floats(1, 2, 3, 4, 5, 6);
    scaleColumns(values, floats(1, 0.5, 2), values);
    expect(values).toEqual(floats(1, 1, 6, 4, 2.5, 12));
  });

  it("refuses values that are no whole number of rows", () => {
    expect(() => scaleColumns(floats(1, 2, 3), floats(1, 2), floats(1, 2, 3))).toThrow(
      new RangeError("3 values are no rows of 2 columns"),
    );
  });
});

describe("clampValues", () => {
  it("brings what is beyond the limit to it, and says so", () => {
    const out = new Float32Array(4);
    expect(clampValues(floats(-3, -2, 0.5, 2.5), 2, out)).toBe(true);
    expect(out).toEqual(floats(-2, -2, 0.5, 2));
    expect(clampValues(floats(-2, 2), 2, new Float32Array(2))).toBe(false);
  });

  it("has a limit that is a float32", () => {
    // 0.1 as float32 is above 0.1: that float32 is not beyond the limit.
    const out = new Float32Array(1);
    expect(clampValues(floats(0.1), 0.1, out)).toBe(false);
    expect(out).toEqual(floats(0.1));
  });
});
