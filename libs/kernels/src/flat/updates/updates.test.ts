import { describe, expect, it } from "vitest";

import {
  adagradUpdate,
  adamUpdate,
  amsgradUpdate,
  averagedSgdUpdate,
  decayGradient,
  lambUpdate,
  momentumUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
  sgdUpdate,
} from "./index.js";

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
  const update = {
    ...{ gradient: floats(2), gradientScale: 1, learningRate: 0.5 },
    ...{ momentum: 0.5, dampening: 0 },
  };

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

describe("a dampened momentumUpdate", () => {
  it("takes a share of the gradient", () => {
    // b = 0.5·8 + 0.75·4 = 7; p = 4 − 0.5·7
    const momentumBuffer = floats(8);
    const parameters = floats(4);
    momentumUpdate({
      ...{ parameters, gradient: floats(4), out: parameters, momentumBuffer, nesterov: false },
      ...{ gradientScale: 1, learningRate: 0.5, momentum: 0.5, dampening: 0.25 },
    });
    expect(momentumBuffer).toEqual(floats(7));
    expect(parameters).toEqual(floats(0.5));
  });
});

describe("averagedSgdUpdate", () => {
  const update = {
    ...{ parameters: floats(4), gradient: floats(2), gradientScale: 1, learningRate: 0.5 },
    shrinkage: 0.75,
  };

  it("shrinks, takes the step and moves the mean towards the result", () => {
    // p = 0.75·4 − 0.5·2 = 2; a = 8 + 0.25·(2 − 8)
    const average = floats(8);
    const out = new Float32Array(1);
    averagedSgdUpdate({ ...update, average, averagingRate: 0.25, out });
    expect(out).toEqual(floats(2));
    expect(average).toEqual(floats(6.5));
  });

  it("sets the mean to the result while there is nothing to average", () => {
    // 2^24 + (2 − 2^24) would be 2 as well, but not with 2^60 in its place.
    const average = floats(2 ** 60);
    averagedSgdUpdate({ ...update, average, averagingRate: 1, out: new Float32Array(1) });
    expect(average).toEqual(floats(2));
  });
});

describe("adagradUpdate", () => {
  it("divides by the root of the sum of squares", () => {
    // s = 7 + 9 = 16; p = 2 − 0.5·3 / (4 + 2)
    const squareSum = floats(7);
    const out = new Float32Array(1);
    adagradUpdate({
      ...{ parameters: floats(2), gradient: floats(3), out, squareSum, epsilon: 2 },
      ...{ gradientScale: 1, learningRate: 0.5 },
    });
    expect(squareSum).toEqual(floats(16));
    expect(out).toEqual(floats(1.75));
  });
});

describe("rmspropUpdate", () => {
  const update = {
    parameters: floats(1),
    gradient: floats(4),
    gradientScale: 1,
    learningRate: 0.5,
    gradientAverage: undefined,
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

describe("a centered rmspropUpdate", () => {
  const update = {
    ...{ gradientScale: 1, learningRate: 0.5, decay: 0.75, epsilon: 0.5 },
    ...{ parameters: floats(1), gradient: floats(4) },
  };

  it("divides by the root of the variance", () => {
    // v = 0.75·16 + 0.25·16 = 16; m = −4 + 0.25·(4 + 4) = −2; p = 1 − 0.5·4 / (√12 + 0.5)
    const gradientAverage = floats(-4);
    const out = new Float32Array(1);
    rmspropUpdate({ ...update, squareAverage: floats(16), gradientAverage, out });
    expect(gradientAverage).toEqual(floats(-2));
    expect(out[0]).toBeCloseTo(1 - 2 / (Math.sqrt(12) + 0.5), 6);
  });

  it("takes a variance that rounding made negative for 0", () => {
    // v = 0.75·8 + 0.25·16 = 10 is less than m² = 16 here: p = 1 − 0.5·4 / (0 + 0.5)
    const out = new Float32Array(1);
    const state = { squareAverage: floats(8), gradientAverage: floats(4) };
    rmspropUpdate({ ...update, ...state, out });
    expect(out).toEqual(floats(-3));
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

describe("amsgradUpdate", () => {
  it.each([
    // Step 1 with β₁ = 0.5, β₂ = 0.75: m = 2, m̂ = 4; v = 4; √(16 / 0.25) = 8; p = 2 − 0.5·4 / (8 + 2)
    ["what was larger before", 16, 16, 1.8],
    // √(4 / 0.25) = 4; p = 2 − 0.5·4 / (4 + 2)
    ["the new one if that is larger", 1, 4, 5 / 3],
  ])("divides by the largest second moment: %s", (_, before, after, expected) => {
    const maxSecondMoment = floats(before);
    const secondMoment = floats(0);
    const out = new Float32Array(1);
    amsgradUpdate({
      ...{ parameters: floats(2), gradient: floats(4), out, gradientScale: 1, learningRate: 0.5 },
      ...{ firstMoment: floats(0), secondMoment, maxSecondMoment },
      ...{ beta1: 0.5, beta2: 0.75, epsilon: 2, step: 1 },
    });
    expect(maxSecondMoment).toEqual(floats(after));
    expect(secondMoment).toEqual(floats(4));
    expect(out[0]).toBeCloseTo(expected, 6);
  });
});

describe("decayGradient", () => {
  it("adds its share of the parameters after the scaling", () => {
    // 0.5·4 + 0.25·8; the other way round it would be 0.5·(4 + 0.25·8) = 3
    const out = new Float32Array(1);
    const decay = { parameters: floats(8), gradient: floats(4), gradientScale: 0.5 };
    decayGradient({ ...decay, weightDecay: 0.25, out });
    expect(out).toEqual(floats(4));
  });

  it("rounds both products before it adds them", () => {
    // (1 + 2^-23)² = 1 + 2^-22 + 2^-46 rounds to 1 + 2^-22, of which the other product leaves nothing.
    const a = 1 + 2 ** -23;
    const rest = floats(-(1 + 2 ** -22));
    const out = new Float32Array(1);
    decayGradient({ parameters: rest, gradient: floats(a), gradientScale: a, weightDecay: 1, out });
    expect(out).toEqual(floats(0));
    decayGradient({ parameters: floats(a), gradient: rest, gradientScale: 1, weightDecay: a, out });
    expect(out).toEqual(floats(0));
  });
});

describe("lambUpdate", () => {
  const update = {
    ...{ gradientScale: 1, learningRate: 0.5, beta1: 0.5, beta2: 0.75, epsilon: 1, step: 1 },
    ...{ weightDecay: 0, maxWeightNorm: Infinity },
  };
  const zeros = (): { firstMoment: Float32Array; secondMoment: Float32Array } => ({
    firstMoment: floats(0, 0),
    secondMoment: floats(0, 0),
  });

  it("steps by the tensor's norm along the direction's", () => {
    // Step 1: m̂ = g = (3, 3), √v̂ = 3, r = 3 / (3 + 1) = 0.75 each, of norm 0.75·√2;
    // ‖p‖ = √(4.5 + 4.5) = 3; p − 0.5·(3 / (0.75·√2))·0.75 = p − 1.5/√2
    const [a, b] = [Math.sqrt(4.5), -Math.sqrt(4.5)];
    const out = new Float32Array(2);
    lambUpdate({ ...update, ...zeros(), parameters: floats(a, b), gradient: floats(3, 3), out });
    expect(out[0]).toBeCloseTo(a - 1.5 / Math.SQRT2, 6);
    expect(out[1]).toBeCloseTo(b - 1.5 / Math.SQRT2, 6);
  });

  it("takes the decay into the direction, and no norm above the maximum", () => {
    // u = 0 + 0.5·p, of norm 2.5; φ = min(5, 2): p − 0.5·(2 / 2.5)·0.5·p = 0.8·p
    const out = new Float32Array(2);
    const given = { parameters: floats(3, 4), gradient: floats(0, 0), weightDecay: 0.5 };
    lambUpdate({ ...update, ...zeros(), ...given, maxWeightNorm: 2, out });
    expect(out[0]).toBeCloseTo(2.4, 6);
    expect(out[1]).toBeCloseTo(3.2, 6);
  });

  it("has a ratio of 1 for a tensor of zeros", () => {
    // r = 3 / (3 + 1): 0 − 0.5·0.75
    const out = new Float32Array(2);
    lambUpdate({ ...update, ...zeros(), parameters: floats(0, 0), gradient: floats(3, 3), out });
    expect(out).toEqual(floats(-0.375, -0.375));
  });

  it("refuses to write over the parameters, which it needs to the end", () => {
    const parameters = floats(1, 2);
    expect(() =>
      lambUpdate({ ...update, ...zeros(), parameters, gradient: floats(3, 3), out: parameters }),
    ).toThrow(new RangeError("out is parameters; it must be another array"));
  });
});

describe("every update", () => {
  const two = new Float32Array(2);
  const base = {
    ...{ parameters: two, gradient: two, out: two, gradientScale: 1, learningRate: 1 },
  };
  const three = new Float32Array(3);

  it("refuses arrays of different lengths, by name", () => {
    const refused = (what: string): RangeError =>
      new RangeError(`${what} has 3 values; it must have as many as parameters: 2`);
    expect(() => sgdUpdate({ ...base, out: three })).toThrow(refused("out"));
    expect(() =>
      momentumUpdate({
        ...base,
        momentumBuffer: three,
        momentum: 0,
        dampening: 0,
        nesterov: false,
      }),
    ).toThrow(refused("momentumBuffer"));
    const mean = { decay: 0.9, epsilon: 1, squareAverage: three, gradientAverage: undefined };
    expect(() => rmspropUpdate({ ...base, ...mean })).toThrow(refused("squareAverage"));
    expect(() =>
      rmspropMomentumUpdate({ ...base, ...mean, momentumBuffer: two, momentum: 0.5 }),
    ).toThrow(refused("squareAverage"));
    const centered = { ...mean, squareAverage: two, gradientAverage: three };
    expect(() => rmspropUpdate({ ...base, ...centered })).toThrow(refused("gradientAverage"));
    const moments = { beta1: 0.9, beta2: 0.9, epsilon: 1, step: 1, firstMoment: two };
    expect(() => adamUpdate({ ...base, ...moments, secondMoment: three })).toThrow(
      refused("secondMoment"),
    );
    const amsgrad = { ...base, ...moments, secondMoment: two };
    expect(() => amsgradUpdate({ ...amsgrad, maxSecondMoment: three })).toThrow(
      refused("maxSecondMoment"),
    );
    expect(() => decayGradient({ ...base, weightDecay: 1, out: three })).toThrow(refused("out"));
    const lamb = {
      ...base,
      ...moments,
      weightDecay: 0,
      out: new Float32Array(2),
      maxWeightNorm: 1,
    };
    expect(() => lambUpdate({ ...lamb, secondMoment: three })).toThrow(refused("secondMoment"));
    expect(() => adagradUpdate({ ...base, epsilon: 1, squareSum: three })).toThrow(
      refused("squareSum"),
    );
    const averaged = { ...base, shrinkage: 1, averagingRate: 1 };
    expect(() => averagedSgdUpdate({ ...averaged, average: three })).toThrow(refused("average"));
  });
});
