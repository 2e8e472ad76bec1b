import { describe, expect, it } from "vitest";

import {
  digammaHalfStep,
  logAddExp,
  logGammaHalfStep,
  logSumExp,
  sigmoid,
  softplus,
} from "./special-functions.js";

const { log, PI, sqrt } = Math;

describe("logGammaHalfStep", () => {
  it.each([
    // Γ(1/2) = √π, Γ(1) = 1, Γ(3/2) = √π/2, Γ(2) = 1, Γ(11/2) = 945/32 √π, Γ(5) = 24
    [0.5, -0.5 * log(PI)],
    [1, log(sqrt(PI) / 2)],
    [1.5, -log(sqrt(PI) / 2)],
    [5, log((945 / 32) * (sqrt(PI) / 24))],
  ])("at %d", (a, expected) => {
    expect(logGammaHalfStep(a)).toBeCloseTo(expected, 14);
  });

  it("keeps its digits where log Γ has lost them", () => {
    // Γ(a + ½) / Γ(a) = √a · (1 − 1/(8a) + …)
    expect(logGammaHalfStep(1e12)).toBeCloseTo(0.5 * log(1e12) - 1 / 8e12, 14);
  });
});

describe("digammaHalfStep", () => {
  it.each([
    // ψ(1) = −γ, ψ(1/2) = −γ − 2 log 2, ψ(x + 1) = ψ(x) + 1/x
    [0.5, 2 * log(2)],
    [1, 2 - 2 * log(2)],
    [1.5, 1 - (2 - 2 * log(2))],
  ])("at %d", (a, expected) => {
    expect(digammaHalfStep(a)).toBeCloseTo(expected, 14);
  });

  it.each([0.7, 3, 9.99, 10, 1234])("is the derivative of logGammaHalfStep at %d", (a) => {
    const h = 1e-4 * a;
    const slope = (logGammaHalfStep(a + h) - logGammaHalfStep(a - h)) / (2 * h);
    expect(digammaHalfStep(a) / slope).toBeCloseTo(1, 7);
  });
});

describe("sigmoid and softplus", () => {
  it("do not overflow", () => {
    expect([-1000, 0, 1000].map(sigmoid)).toEqual([0, 0.5, 1]);
    expect([-1000, 0, 1000].map(softplus)).toEqual([0, log(2), 1000]);
  });
});

describe("sums of exponentials", () => {
  it("do not overflow, and take −∞ for the logarithm of 0", () => {
    expect(logAddExp(1000, 1000)).toBe(1000 + log(2));
    expect(logAddExp(-Infinity, -Infinity)).toBe(-Infinity);
    expect(logAddExp(-Infinity, 3)).toBe(3);
    expect(logSumExp(Float32Array.of(7, 1000, -Infinity, 1000, 9), 1, 3)).toBe(1000 + log(2));
  });
});
