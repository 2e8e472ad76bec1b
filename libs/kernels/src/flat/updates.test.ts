import { describe, expect, it } from "vitest";

import {
  adamUpdate,
  momentumUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
  sgdUpdate,
} from "./updates.js";

// Every number here is a float32, and so is every result on the way: what is expected is exact.
// The optimizers as a whole are compared with PyTorch and, to the bit, with NumPy in libs/lstm.

const floats = (...values: number[]): Float32Array => Float32Array.of(...values);

describe("sgdUpdate", () => {
  it("takes a step against the scaled gradient", () => {
    // 1 − 0.25·(0.5·4) and 2 − 0.25·(0.5·−8)
    const out = new Float32Array(2);
    sgdUpdate({
      parameters: floats(1, 2),
      gradient: floats(4, -8),
      out,
      gradientScale: 0.5,
      learningRate: 0.25,
    });
    expect(out).toEqual(floats(0.5, 3));
  });

  it("rounds the scaled gradient to float32 before it goes on", () => {
    // (1 + 2^-23)·(1 + 2^-23) = 1 + 2^-22 + 2^-46, rounded to 1 + 2^-22. Subtracted from that, exactly
    // nothing is left; without the rounding, 2^-46 would be.
    const out = new Float32Array(1);
    sgdUpdate({
      parameters: floats(1 + 2 ** -22),
      gradient: floats(1 + 2 ** -23),
      out,
      gradientScale: 1 + 2 ** -23,
      learningRate: 1,
    });
    expect(out).toEqual(floats(0));
  });
});

describe("momentumUpdate", () => {
  const update = { gradient: floats(2), gradientScale: 1, learningRate: 0.5, momentum: 0.5 };

  it("moves along the running sum of gradients", () => {
    // b = 0.5·4 + 2 = 4; p = 3 − 0.5·4
    const momentumBuffer = floats(4);
    const parameters = floats(3);
    momentumUpdate({ ...update, parameters, out: parameters, momentumBuffer, nesterov: false });
    expect(momentumBuffer).toEqual(floats(4));
    expect(parameters).toEqual(floats(1));
  });

  it("looks a step ahead in Nesterov's form", () => {
    // b = 0.5·0 + 2 = 2; p = 3 − 0.5·(2 + 0.5·2)
    const out = new Float32Array(1);
    const fresh = { parameters: floats(3), momentumBuffer: floats(0), nesterov: true };
    momentumUpdate({ ...update, ...fresh, out });
    expect(out).toEqual(floats(1.5));
  });
});

describe("rmspropUpdate", () => {
  const update = {
    parameters: floats(1),
    gradient: floats(4),
    gradientScale: 1,
    learningRate: 0.5,
    decay: 0.75,
    epsilon: 0.5,
  };

  it("divides by the root of the running mean square, with epsilon outside the root", () => {
    // v = 0.75·0 + 0.25·16 = 4; p = 1 − 0.5·4 / (2 + 0.5) = 0.2, the one rounding there is
    const squareAverage = floats(0);
    const out = new Float32Array(1);
    rmspropUpdate({ ...update, squareAverage, out });
    expect(squareAverage).toEqual(floats(4));
    expect(out[0]).toBeCloseTo(0.2, 7);
  });

  it("gathers what it divided in the momentum buffer", () => {
    // v = 4; b = 0.5·2 + 4/2.5 = 2.6; p = 1 − 0.5·2.6 = −0.3
    const momentumBuffer = floats(2);
    const out = new Float32Array(1);
    rmspropMomentumUpdate({
      ...update,
      squareAverage: floats(0),
      momentumBuffer,
      momentum: 0.5,
      out,
    });
    expect(momentumBuffer[0]).toBeCloseTo(2.6, 6);
    expect(out[0]).toBeCloseTo(-0.3, 6);
  });
});

describe("adamUpdate", () => {
  it("corrects the bias of both moments, and adds epsilon after that", () => {
    // Step 2 with β₁ = 0.5, β₂ = 0.75, from m = 1, v = 1, g = 2:
    // m = 0.5·1 + 0.5·2 = 1.5, m̂ = 1.5 / (1 − 0.25) = 2;
    // v = 0.75·1 + 0.25·4 = 1.75, v̂ = 1.75 / (1 − 0.5625) = 4;
    // p = 1 − 0.5·2 / (2 + 0.5) = 0.6
    const moments = { firstMoment: floats(1), secondMoment: floats(1) };
    const parameters = floats(1);
    adamUpdate({
      ...moments,
      parameters,
      gradient: floats(8),
      out: parameters,
      gradientScale: 0.25,
      learningRate: 0.5,
      beta1: 0.5,
      beta2: 0.75,
      epsilon: 0.5,
      step: 2,
    });
    expect(moments.firstMoment).toEqual(floats(1.5));
    expect(moments.secondMoment).toEqual(floats(1.75));
    expect(parameters[0]).toBeCloseTo(0.6, 6);
  });

  it("leaves a parameter alone that never had a gradient", () => {
    const out = new Float32Array(1);
    adamUpdate({
      parameters: floats(3),
      gradient: floats(0),
      out,
      firstMoment: floats(0),
      secondMoment: floats(0),
      gradientScale: 1,
      learningRate: 1,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      step: 1,
    });
    expect(out).toEqual(floats(3));
  });
});

describe("every update", () => {
  const two = new Float32Array(2);
  const base = { parameters: two, gradient: two, out: two, gradientScale: 1, learningRate: 1 };
  const three = new Float32Array(3);

  it("refuses arrays of different lengths, by name", () => {
    const refused = (what: string): RangeError =>
      new RangeError(`${what} has 3 values; it must have as many as parameters: 2`);
    expect(() => sgdUpdate({ ...base, out: three })).toThrow(refused("out"));
    expect(() =>
      momentumUpdate({ ...base, momentumBuffer: three, momentum: 0, nesterov: false }),
    ).toThrow(refused("momentumBuffer"));
    const mean = { decay: 0.9, epsilon: 1, squareAverage: three };
    expect(() => rmspropUpdate({ ...base, ...mean })).toThrow(refused("squareAverage"));
    expect(() =>
      rmspropMomentumUpdate({ ...base, ...mean, momentumBuffer: two, momentum: 0.5 }),
    ).toThrow(refused("squareAverage"));
    const adam = { beta1: 0.9, beta2: 0.9, epsilon: 1, step: 1, firstMoment: two };
    expect(() => adamUpdate({ ...base, ...adam, secondMoment: three })).toThrow(
      refused("secondMoment"),
    );
  });
});
