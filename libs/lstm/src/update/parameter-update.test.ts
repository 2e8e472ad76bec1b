import { describe, expect, it } from "vitest";

import type { ParameterLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import { compileOptimizerSpec } from "../optimizers/index.js";
import { addGradientNoise } from "./gradient-noise.js";
import { createParameterUpdate } from "./parameter-update.js";
import type { ParameterUpdateOptions, UpdateRequest, UpdateResult } from "./parameter-update.js";

const layout: ParameterLayout = {
  tensors: [
    { name: "layer.kernel", shape: [2, 2], offset: 0, size: 4 },
    { name: "layer.bias", shape: [2], offset: 4, size: 2 },
  ],
  size: 6,
};
const SUM = Float32Array.of(3, -6, 9, 12, 0.3, -0.9);
const NOISE = { scale: 0.5, decay: 0.55 };
const options: ParameterUpdateOptions = {
  optimizer: compileOptimizerSpec({ kind: "sgd" }),
  clipping: { kind: "value", maxValue: 2 },
  gradientNoise: NOISE,
  layout,
  seed: 9,
};

function request(change: Partial<UpdateRequest> = {}): UpdateRequest {
  return {
    parameters: new Float32Array(6),
    gradient: SUM,
    lossWeight: 3,
    learningRate: 1,
    step: 2,
    state: { stepCount: 0, slots: {} },
    out: new Float32Array(6),
    ...change,
  };
}

const apply = (
  change: Partial<ParameterUpdateOptions>,
  given: UpdateRequest = request(),
): UpdateResult & { readonly out: Float32Array } => {
  const result = createParameterUpdate({ ...options, ...change }).apply(given);
  return { ...result, out: given.out };
};

describe("createParameterUpdate", () => {
  it("averages, clips, adds noise and only then takes the step", () => {
    // The average (1, −2, 3, 4, 0.1, −0.3), clipped to ±2; with a learning rate of 1 and parameters of 0 the
    // new parameters are minus the gradient that the optimizer gets.
    const third = Math.fround(1 / 3);
    const expected = SUM.map((g) => Math.max(-2, Math.min(2, Math.fround(g * third))));
    addGradientNoise(expected, NOISE, { seed: 9, step: 2 });
    const { out, ...result } = apply({});
    expect(out).toEqual(expected.map((g) => -g));
    const norm = Math.sqrt(1 + 4 + 9 + 16 + 0.01 + 0.09);
    expect(result).toEqual({
      ...{ clipped: true, applied: true, firstNonFinite: -1 },
      gradientNorm: expect.any(Number),
    });
    expect(result.gradientNorm).toBeCloseTo(norm, 6);
  });

  it("has the bits of clipping without noise whether or not it goes through memory of its own", () => {
    // The noise is so small that it is lost: what is left is the longer way.
    const clipping = { kind: "globalNorm", maxNorm: 0.7 } as const;
    const optimizer = compileOptimizerSpec({ kind: "sgd" });
    const faint = apply({ optimizer, clipping, gradientNoise: { scale: 1e-30, decay: 0 } });
    const none = apply({ optimizer, clipping, gradientNoise: null });
    expect(faint.out).toEqual(none.out);
  });

  it("leaves parameters and gradient alone, also on the way through its memory", () => {
    const given = request({ gradient: SUM.slice(), parameters: SUM.slice() });
    apply({}, given);
    expect(given.gradient).toEqual(SUM);
    expect(given.parameters).toEqual(SUM);
  });

  it("starts the average of averaged SGD where it is told", () => {
    const optimizer = compileOptimizerSpec({ kind: "averagedSgd" });
    const update = createParameterUpdate({
      ...options,
      ...{ optimizer, clipping: { kind: "none" }, gradientNoise: null },
    });
    const state = update.initialState();
    const first = request({ state });
    update.apply(first);
    const second = request({ state, parameters: first.out, step: 3, averagingStartStep: 1 });
    update.apply(second);
    const mean = first.out.map((p, i) => (p + second.out[i]!) / 2);
    for (const [i, value] of state.slots["average"]!.entries()) {
      expect(value).toBeCloseTo(mean[i]!, 5);
    }
  });

  it.each([NaN, Infinity, -Infinity])("applies nothing where the gradient has a %d", (bad) => {
    const gradient = SUM.slice();
    gradient[3] = bad;
    const optimizer = compileOptimizerSpec({ kind: "adam" });
    const update = createParameterUpdate({ ...options, optimizer });
    const state = update.initialState();
    const given = request({ gradient, state });
    const { gradientNorm, ...result } = update.apply(given);
    expect(result).toEqual({ clipped: false, applied: false, firstNonFinite: -1 });
    expect(gradientNorm).not.toSatisfy(Number.isFinite);
    expect(state).toEqual(update.initialState());
    expect(given.out).toEqual(new Float32Array(6));
  });

  it.each<ParameterUpdateOptions["clipping"]>([
    { kind: "none" },
    { kind: "globalNorm", maxNorm: 1 },
    { kind: "value", maxValue: 2 },
    { kind: "layer", maxNorm: 1 },
    { kind: "adaptive", maxRatio: 0.01, epsilon: 1e-3 },
  ])("takes a step with a gradient of 0 where no target counts: %o", (clipping) => {
    const optimizer = compileOptimizerSpec({ kind: "momentum", momentum: 0.5, weightDecay: 0.1 });
    const update = createParameterUpdate({
      ...{ ...options, clipping, gradientNoise: null, optimizer },
    });
    const buffer = (): Float32Array => Float32Array.of(4, -2, 1, 0, 8, 2);
    const state = { stepCount: 1, slots: { momentumBuffer: buffer() } };
    const parameters = Float32Array.of(1, 2, 3, 4, 5, 6);
    const given = request({ lossWeight: 0, parameters, state, learningRate: 0.25 });
    const result = update.apply(given);
    expect(result).toEqual({
      ...{ clipped: false, applied: true, firstNonFinite: -1 },
      gradientNorm: 0,
    });
    // The gradient is the weight decay's 0.1 p alone; the buffer becomes 0.5 b + 0.1 p.
    for (const [i, value] of given.out.entries()) {
      const p = parameters[i]!;
      expect(value).toBeCloseTo(p - 0.25 * (0.5 * buffer()[i]! + 0.1 * p), 6);
    }
    expect(state.stepCount).toBe(2);
    expect(given.gradient).toBe(SUM);
  });

  it("finds a gradient that is not finite also where no target counts", () => {
    const gradient = SUM.with(1, NaN);
    const { applied, out } = apply({}, request({ gradient, lossWeight: 0 }));
    expect([applied, ...out]).toEqual([false, 0, 0, 0, 0, 0, 0]);
  });

  it.each([-1, NaN, Infinity])("refuses a loss weight of %d", (lossWeight) => {
    expect(() => apply({}, request({ lossWeight }))).toThrow(
      new LstmError(
        "invalidClipping",
        `the loss weight is ${lossWeight}; it must be a number from 0`,
      ),
    );
  });

  it("refuses a parameter group without a tensor when it is made", () => {
    const optimizer = compileOptimizerSpec({ groups: [{ match: "head.*" }] });
    expect(() => createParameterUpdate({ ...options, optimizer })).toThrow(
      new LstmError(
        "invalidOptimizer",
        'optimizer.groups[0].match is "head.*"; it must match a tensor: layer.kernel, layer.bias',
      ),
    );
  });

  it("names the first parameter that the step makes infinite, in whichever group it is", () => {
    const groups = [{ match: "layer.kernel", learningRateScale: 0 }];
    const optimizer = compileOptimizerSpec({ kind: "sgd", groups });
    const change = { optimizer, clipping: { kind: "none" }, gradientNoise: null } as const;
    const largest = (2 - 2 ** -23) * 2 ** 127;
    const parameters = new Float32Array(6).fill(largest);
    const gradient = Float32Array.of(-largest, 0, 0, 0, 0, -largest);
    expect(apply(change, request({ parameters, gradient }))).toMatchObject({
      ...{ applied: true, firstNonFinite: 5 },
    });
  });
});
