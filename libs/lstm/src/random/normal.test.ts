import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { fillNormal, fillTruncatedNormal } from "./normal.js";
import { normalProbabilityUpTo, normalQuantile } from "./normal-quantile.js";
import type { RandomKey } from "./random-key.js";

interface Fixture {
  readonly quantiles: readonly { readonly offset: number; readonly quantile: number }[];
  readonly probabilities: readonly { readonly x: number; readonly below: number }[];
}
const file = new URL("../../fixtures/normal.json", import.meta.url);
const fixture = JSON.parse(await readFile(file, "utf8")) as Fixture;

const key: RandomKey = { seed: 11, step: 2, purpose: "gradientNoise", layer: 1 };
const COUNT = 200_000;

function normals(count: number, firstCounter = 0, of = key): Float32Array {
  const out = new Float32Array(count);
  fillNormal(of, out, firstCounter);
  return out;
}

function truncated(count: number, bound?: number): Float32Array {
  const out = new Float32Array(count);
  fillTruncatedNormal(key, out, bound);
  return out;
}

/** Φ, of a series that converges for any x; Abramowitz and Stegun 26.2.11. */
function normalCdf(x: number): number {
  let [term, sum] = [x, x];
  for (let k = 1; k < 300; k++) sum += term *= (x * x) / (2 * k + 1);
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** √n times the largest distance of the empirical from the true distribution function. */
function kolmogorovSmirnov(values: Float32Array, cdf: (x: number) => number): number {
  const sorted = values.slice().sort();
  let largest = 0;
  for (const [i, value] of sorted.entries()) {
    const expected = cdf(value);
    const { length } = sorted;
    largest = Math.max(largest, expected - i / length, (i + 1) / length - expected);
  }
  return Math.sqrt(sorted.length) * largest;
}

const moment = (values: Float32Array, power: number): number =>
  values.reduce((sum, x) => sum + x ** power, 0) / values.length;

/** Above this once in a thousand keys. Kolmogorov's distribution: 2·exp(−2·1.95²) = 0.001. */
const KS_BOUND = 1.95;

describe("the normal distribution", () => {
  it("has PyTorch's quantiles", () => {
    expect(fixture.quantiles.length).toBeGreaterThan(100);
    for (const { offset, quantile } of fixture.quantiles) {
      const allowed = 4e-15 * Math.max(Math.abs(quantile), 0.1);
      expect(Math.abs(normalQuantile(offset) - quantile), `at ${offset}`).toBeLessThan(allowed);
    }
  });

  it("has PyTorch's probabilities", () => {
    for (const { x, below } of fixture.probabilities) {
      expect(Math.abs(0.5 + normalProbabilityUpTo(x) - below), `at ${x}`).toBeLessThan(4e-16);
    }
  });
});

describe("fillNormal", () => {
  it("is a function of the key and the counter, however it is cut", () => {
    const whole = normals(50);
    for (const [first, count] of [
      [0, 1],
      [1, 9],
      [17, 33],
    ] as const) {
      expect(normals(count, first)).toEqual(whole.slice(first, first + count));
    }
    expect(normals(50, 0, { ...key, step: 3 })).not.toEqual(whole);
  });

  it("fills a view and nothing around it", () => {
    const memory = new Float32Array(6).fill(9);
    fillNormal(key, memory.subarray(2, 5));
    expect([...memory]).toEqual([9, 9, ...normals(3), 9]);
  });

  it("has the moments of the standard normal distribution", () => {
    const values = normals(COUNT);
    // Four standard deviations of the means of x, x², x³, x⁴: √(1, 2, 15, 96)/√n.
    const bound = (variance: number): number => 4 * Math.sqrt(variance / COUNT);
    expect(Math.abs(moment(values, 1))).toBeLessThan(bound(1));
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(bound(2));
    expect(Math.abs(moment(values, 3))).toBeLessThan(bound(15));
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(bound(96));
  });

  it("has the distribution function of the standard normal distribution", () => {
    expect(kolmogorovSmirnov(normals(COUNT), normalCdf)).toBeLessThan(KS_BOUND);
  });
});

describe("fillTruncatedNormal", () => {
  it.each([undefined, 0.01, 0.5, 3, 6])("has the truncated distribution, bound %s", (given) => {
    const bound = given ?? 2;
    const values = truncated(COUNT, given);
    const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    const below = normalCdf(-bound);
    const cdf = (x: number): number => (normalCdf(x) - below) / (1 - 2 * below);
    expect(kolmogorovSmirnov(values, cdf)).toBeLessThan(KS_BOUND);
  });

  it("has the variance 0.7737 within two standard deviations", () => {
    // 1 − 2·b·φ(b)/(2Φ(b) − 1) at b = 2: φ = 0.0539910, Φ = 0.9772499.
    const variance = 1 - (4 * 0.053991) / (2 * 0.9772499 - 1);
    expect(variance).toBeCloseTo(0.7737, 4);
    // The fourth moment is below 2, and so is the variance of x².
    expect(Math.abs(moment(truncated(COUNT), 2) - variance)).toBeLessThan(4 * Math.sqrt(2 / COUNT));
  });

  it("is a function of the key and the counter", () => {
    const some = new Float32Array(5);
    fillTruncatedNormal(key, some, 2, 3);
    expect(some).toEqual(truncated(8).slice(3));
  });

  it.each([0, -1, NaN, 6.5])("refuses a bound of %d", (bound) => {
    expect(() => truncated(1, bound)).toThrow(
      new LstmError(
        "invalidRandomKey",
        `the bound of a truncated normal deviate is ${bound}; it must be from 0.01 to 6`,
      ),
    );
  });
});
