import { describe, expect, it } from "vitest";

import {
  averagingTriggerOf,
  evaluatedParameters,
  firstAveragedUpdate,
  keepsAverage,
} from "./averaging.js";
import { compileOptimizerSpec } from "./compile-optimizer-spec.js";
import { createOptimizer } from "./create-optimizer.js";

const layout = { tensors: [{ name: "all", shape: [1], offset: 0, size: 1 }], size: 1 };
const specOf = (more: object = {}): ReturnType<typeof compileOptimizerSpec> =>
  compileOptimizerSpec({ kind: "averagedSgd", lambda: 0, t0: 100, ...more });

describe("what is evaluated", () => {
  it("is the average from its first update on, and the parameters before any update", () => {
    const optimizer = createOptimizer(specOf(), layout);
    const state = optimizer.initialState();
    let parameters = Float32Array.of(10);
    expect(evaluatedParameters(parameters, state)).toBe(parameters);
    const evaluated: number[] = [];
    for (let update = 1; update <= 4; update++) {
      const out = new Float32Array(1);
      const rates = { learningRate: 1, gradientScale: 1, averagingStartStep: 2 };
      optimizer.update({ parameters, gradient: Float32Array.of(4), state, ...rates, out });
      parameters = out;
      evaluated.push(evaluatedParameters(parameters, state)[0]!);
    }
    // Parameters 6, 2, -2, -6; averages over 2, over 2 and -2, over 2, -2 and -6.
    expect(parameters[0]).toBe(-6);
    expect(evaluated).toEqual([6, 2, 0, -2]);
  });

  it("is the parameters for an optimizer that keeps no average", () => {
    const optimizer = createOptimizer(compileOptimizerSpec({ kind: "momentum" }), layout);
    const parameters = Float32Array.of(1);
    const state = { ...optimizer.initialState(), stepCount: 3 };
    expect(evaluatedParameters(parameters, state)).toBe(parameters);
  });
});

describe("the start of averaging", () => {
  it("is asked of the evaluations where the optimizer has an interval", () => {
    expect(averagingTriggerOf(specOf())).toBeNull();
    expect(averagingTriggerOf(compileOptimizerSpec({ kind: "sgd" }))).toBeNull();
    const interval = { nonmonotonicInterval: 0 };
    expect(averagingTriggerOf(specOf(interval))).toEqual(interval);
  });

  it("is what started it, or update t0 + 2 of PyTorch's", () => {
    expect(firstAveragedUpdate(specOf(), 7)).toBe(7);
    expect(firstAveragedUpdate(specOf(), undefined)).toBe(102);
    const adam = compileOptimizerSpec({ kind: "adam" });
    expect(firstAveragedUpdate(adam, undefined)).toBeUndefined();
    expect([specOf(), adam].map(keepsAverage)).toEqual([true, false]);
  });

  it.each([-1, 0.5, 1001, "5"])("is refused for an interval of %j", (nonmonotonicInterval) => {
    expect(() => specOf({ nonmonotonicInterval })).toThrow(
      expect.objectContaining({
        code: "invalidOptimizer",
        message: expect.stringContaining(
          "it must be a whole number from 0 to 1000, or null",
        ) as string,
      }),
    );
  });
});
