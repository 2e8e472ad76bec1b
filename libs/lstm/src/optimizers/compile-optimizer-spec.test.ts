import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { compileOptimizerSpec } from "./compile-optimizer-spec.js";

const share = "it must be a number from 0 to below 1";
const notNegative = "it must be a number from 0 to 3.4e38";
const positive = "it must be a number above 0 and up to 3.4e38";

describe("compileOptimizerSpec", () => {
  it("fills in the defaults", () => {
    const any = { weightDecay: 0, groups: [] };
    const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    const kinds = "sgd momentum averagedSgd adagrad rmsprop adam adamw lamb".split(" ");
    expect(kinds.map((kind) => compileOptimizerSpec({ kind }))).toEqual([
      { kind: "sgd", ...any },
      { kind: "momentum", momentum: 0.9, dampening: 0, nesterov: false, ...any },
      {
        kind: "averagedSgd",
        lambda: 1e-4,
        alpha: 0.75,
        t0: 1e6,
        nonmonotonicInterval: null,
        ...any,
      },
      { kind: "adagrad", learningRateDecay: 0, initialAccumulator: 0, epsilon: 1e-10, ...any },
      { kind: "rmsprop", decay: 0.99, epsilon: 1e-8, momentum: 0, centered: false, ...any },
      { kind: "adam", ...moments, amsgrad: false, ...any },
      { kind: "adamw", ...moments, amsgrad: false, ...any, weightDecay: 0.01 },
      { kind: "lamb", ...moments, epsilon: 1e-6, maxWeightNorm: null, ...any, weightDecay: 0.01 },
    ]);
    expect(compileOptimizerSpec({})).toEqual(compileOptimizerSpec({ kind: "adam" }));
  });

  it("freezes the copy throughout", () => {
    const { groups } = compileOptimizerSpec({ groups: [{ match: "*" }] });
    expect(groups).toEqual([{ match: "*", learningRateScale: 1, weightDecay: null }]);
    expect([groups, groups[0], compileOptimizerSpec({})].every(Object.isFrozen)).toBe(true);
    expect(compileOptimizerSpec({}).groups).toSatisfy(Object.isFrozen);
  });

  it.each([
    [{ beta1: 1 }, `optimizer.beta1 is 1; ${share}`],
    [{ beta2: NaN }, `optimizer.beta2 is NaN; ${share}`],
    [{ epsilon: 0 }, `optimizer.epsilon is 0; ${positive}`],
    [{ weightDecay: -1 }, `optimizer.weightDecay is -1; ${notNegative}`],
    [{ amsgrad: "yes\n" }, 'optimizer.amsgrad is "yes\\n"; it must be true or false'],
    [{ kind: "rmsprop", momentum: -0.1 }, `optimizer.momentum is -0.1; ${share}`],
    [{ kind: "momentum", momentum: 1.5 }, `optimizer.momentum is 1.5; ${share}`],
    [
      { kind: "momentum", dampening: 2 },
      "optimizer.dampening is 2; it must be a number from 0 to 1",
    ],
    [
      { kind: "momentum", dampening: 0.1, momentum: 0 },
      "optimizer.dampening is 0.1; it needs a momentum above 0",
    ],
    [
      { kind: "momentum", dampening: 0.1, nesterov: true },
      "optimizer.nesterov is true; it needs a momentum above 0 and a dampening of 0",
    ],
    [
      { kind: "averagedSgd", t0: 0.5 },
      "optimizer.t0 is 0.5; it must be a whole number from 0 to 4294967295",
    ],
    [
      { kind: "adagrad", initialAccumulator: -1 },
      `optimizer.initialAccumulator is -1; ${notNegative}`,
    ],
    [{ kind: "lamb", maxWeightNorm: 0 }, `optimizer.maxWeightNorm is 0; ${positive}, or null`],
    [
      { kind: "lion" },
      "optimizer.kind is \"lion\"; it must be 'sgd', 'momentum', 'averagedSgd', 'adagrad', " +
        "'rmsprop', 'adam', 'adamw' or 'lamb'",
    ],
    [
      { maxWeightNorm: 1 },
      "optimizer.maxWeightNorm is not a key of optimizer (kind, beta1, beta2, epsilon, amsgrad, " +
        "weightDecay, groups)",
    ],
    [
      { groups: [{ match: "a" }, { match: "b", learningRateScale: -2 }] },
      `optimizer.groups[1].learningRateScale is -2; ${notNegative}`,
    ],
    [
      { groups: [{ weightDecay: 0 }] },
      "optimizer.groups[0].match is missing; it must be a pattern of tensor names, such as '*.bias'",
    ],
  ])("refuses %o", (raw, message) => {
    expect(() => compileOptimizerSpec(raw)).toThrow(new LstmError("invalidOptimizer", message));
  });
});
