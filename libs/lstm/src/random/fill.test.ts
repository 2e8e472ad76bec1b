import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { fillDropoutMask, fillUniform, uniform32 } from "./fill.js";
import type { RandomKey } from "./random-key.js";

const key: RandomKey = { seed: 7, step: 3, purpose: "dropout", layer: 1, leaf: 2, row: 0 };

function uniforms(count: number, firstCounter = 0, of: RandomKey = key): Float32Array {
  const out = new Float32Array(count);
  fillUniform(of, out, firstCounter);
  return out;
}

function mask(keepProbability: number, count: number, firstCounter = 0): Float32Array {
  const out = new Float32Array(count);
  fillDropoutMask(key, keepProbability, out, firstCounter);
  return out;
}

describe("fillUniform", () => {
  it("is a function of the key and the counter, however it is cut", () => {
    const whole = uniforms(200);
    fc.assert(
      fc.property(fc.nat(150), fc.nat(50), (first, count) => {
        expect(uniforms(count, first)).toEqual(whole.slice(first, first + count));
        expect(uniform32(key, first)).toBe(whole[first]);
      }),
    );
  });

  it("fills a view and nothing around it", () => {
    const memory = new Float32Array(6).fill(9);
    fillUniform(key, memory.subarray(2, 5));
    expect([...memory]).toEqual([9, 9, ...uniforms(3), 9]);
  });

  it("is spread evenly over 0 to below 1", () => {
    const values = uniforms(100_000);
    const counts = new Array<number>(20).fill(0);
    for (const value of values) counts[Math.floor(value * 20)]!++;
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    // Chi-squared with 19 degrees of freedom is above 43.8 once in a thousand keys.
    const chiSquared = counts.reduce((sum, count) => sum + (count - 5000) ** 2 / 5000, 0);
    expect(chiSquared).toBeLessThan(43.8);
  });

  it("has uncorrelated neighbors, and streams of neighboring keys are uncorrelated", () => {
    const count = 100_000;
    const values = uniforms(count);
    const correlation = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, value, i) => sum + (value - 0.5) * ((b[i] ?? 0.5) - 0.5), 0) / (count / 12);
    // The standard deviation of a correlation of n independent pairs is 1/√n.
    const bound = 4 / Math.sqrt(count);
    expect(Math.abs(correlation(values, uniforms(count, 1)))).toBeLessThan(bound);
    for (const other of [
      { ...key, seed: 8 },
      { ...key, step: 4 },
      { ...key, layer: 2 },
      { ...key, leaf: 3 },
      { ...key, row: 1 },
    ]) {
      expect(Math.abs(correlation(values, uniforms(count, 0, other)))).toBeLessThan(bound);
    }
  });
});

describe("fillDropoutMask", () => {
  it("keeps values with the probability asked for, scaled so that the mean stays", () => {
    const count = 100_000;
    for (const keep of [0.1, 0.5, 0.9]) {
      const values = mask(keep, count);
      expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / keep)]));
      const kept = values.filter((value) => value !== 0).length;
      // Binomial: four standard deviations.
      expect(Math.abs(kept - keep * count)).toBeLessThan(4 * Math.sqrt(count * keep * (1 - keep)));
      expect(values.reduce((sum, value) => sum + value, 0) / count).toBeCloseTo(1, 1);
    }
  });

  it("keeps where the uniform number at that counter is below the probability", () => {
    const kept = [...mask(0.25, 500)].map((value) => value !== 0);
    expect(kept).toEqual([...uniforms(500)].map((value) => value < 0.25));
  });

  it("keeps every value with probability 1", () => {
    expect(mask(1, 1000)).toEqual(new Float32Array(1000).fill(1));
  });

  it("is a function of the key and the counter", () => {
    expect(mask(0.5, 10, 7)).toEqual(mask(0.5, 17).slice(7));
  });

  it.each([0, -0.5, 1.01, NaN])("refuses to keep with probability %d", (keep) => {
    expect(() => mask(keep, 1)).toThrow(
      new LstmError(
        "invalidRandomKey",
        `the probability to keep a value is ${keep}; it must be above 0 and at most 1`,
      ),
    );
  });
});

describe("a counter", () => {
  it.each([-1, 0.5, NaN, Number.MAX_SAFE_INTEGER])("of %d is refused", (counter) => {
    expect(() => uniform32(key, counter)).toThrow(
      new LstmError(
        "invalidRandomKey",
        `the counter is ${counter}; it must be a whole number from 0 to ${2 ** 53 - 2}`,
      ),
    );
    expect(() => uniforms(1, counter)).toThrow(LstmError);
  });
});
