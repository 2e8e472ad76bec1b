import { createHash } from "node:crypto";
import { clippingSchema, compileOptimizerSpec } from "@ostinato/lstm";
import type { OptimizerState, StatisticsLayout } from "@ostinato/lstm";
import { digestOfVersion } from "@ostinato/proto";
import { describe, expect, it } from "vitest";

import { ArithmeticOperations } from "./index.js";
import type { ApplyRequest, ApplyResult } from "./index.js";

const layout = { tensors: [{ name: "all", shape: [2], offset: 0, size: 2 }], size: 2 };

interface Settings {
  readonly optimizer: object;
  readonly clipping?: object;
  readonly noise?: number;
  readonly statistics?: StatisticsLayout;
}

const NO_STATISTICS: StatisticsLayout = { entries: [], size: 0 };

function operationsOf(settings: Settings, state?: OptimizerState): ArithmeticOperations {
  const { optimizer, clipping = {}, noise, statistics = NO_STATISTICS } = settings;
  const update = {
    optimizer: compileOptimizerSpec(optimizer),
    clipping: clippingSchema.parse(clipping),
    gradientNoise: noise === undefined ? null : { scale: noise, decay: 0.55 },
    ...{ layout, seed: 3 },
  };
  return new ArithmeticOperations({ update, statistics, state, segmentFolder: undefined });
}

function requestOf(gradient: readonly number[], step = 1): ApplyRequest {
  return {
    parameters: Float32Array.of(1, 2),
    gradient: Float32Array.from(gradient),
    statistics: new Float64Array(0),
    moments: [],
    averagingStartStep: undefined,
    out: new Float32Array(2),
    segment: 0,
    lossWeight: 2,
    learningRate: 0.5,
    step,
  };
}

const apply = (operations: ArithmeticOperations, request: ApplyRequest): ApplyResult =>
  operations.run({ kind: "apply", request }) as ApplyResult;
const snapshot = (operations: ArithmeticOperations): OptimizerState =>
  operations.run({ kind: "snapshot" }) as OptimizerState;

describe("ArithmeticOperations", () => {
  it("divides, clips as the config says and updates, without touching the gradient", () => {
    // (6, 8) over 2 is (3, 4), of norm 5, clipped to 1: p − 0.5·(0.6, 0.8)
    const request = requestOf([6, 8]);
    const result = apply(operationsOf({ optimizer: { kind: "sgd" } }), request);
    expect(result).toMatchObject({ gradientNorm: 5, clipped: true, problem: undefined });
    expect(request.out[0]).toBeCloseTo(0.7, 6);
    expect(request.out[1]).toBeCloseTo(1.6, 6);
    expect(request.gradient).toEqual(Float32Array.of(6, 8));
  });

  it.each(["none", "globalNorm", "value", "layer", "adaptive"])(
    "keeps the optimizer as it is for a gradient that is not finite (clipping: %s)",
    (kind) => {
      const operations = operationsOf({ optimizer: { kind: "adam" }, clipping: { kind } });
      apply(operations, requestOf([1, 2]));
      const before = snapshot(operations);
      const request = requestOf([1, Infinity]);
      const result = apply(operations, request);
      expect(result.problem).toEqual({
        kind: "gradientNorm",
        detail: "the gradient norm is Infinity",
      });
      expect(snapshot(operations)).toEqual(before);
      expect(before.stepCount).toBe(1);
      expect(request.out).toEqual(new Float32Array(2));
    },
  );

  it("names the parameter that an update makes infinite", () => {
    const operations = operationsOf({
      optimizer: { kind: "sgd" },
      clipping: { kind: "none" },
    });
    const request = { ...requestOf([0, 3e38]), learningRate: 1e30 };
    expect(apply(operations, request).problem).toEqual({
      kind: "update",
      detail: "the update makes parameter 1 -Infinity",
    });
  });

  it("goes on from a snapshot to the same bits, with noise that depends on seed and step alone", () => {
    const settings = { optimizer: { kind: "rmsprop", momentum: 0.5 }, noise: 0.1 };
    const straight = operationsOf(settings);
    apply(straight, requestOf([1, 2], 1));
    const resumed = operationsOf(settings, snapshot(straight));
    const [a, b, c] = [requestOf([3, 4], 2), requestOf([3, 4], 2), requestOf([3, 4], 3)];
    const again = operationsOf(settings, snapshot(straight));
    apply(straight, a);
    apply(resumed, b);
    apply(again, c);
    expect(b.out).toEqual(a.out);
    expect(c.out).not.toEqual(a.out);
  });
});

it("names parameters by the SHA-256 of their bytes", () => {
  const values = Float32Array.of(0, 1, -2).subarray(1);
  const expected = createHash("sha256").update(Buffer.from("0000803f000000c0", "hex"));
  const operations = operationsOf({ optimizer: { kind: "sgd" } });
  expect(operations.run({ kind: "sha256", values })).toBe(expected.digest("hex"));
});

describe("a snapshot of the optimizer", () => {
  const taken = (operations: ArithmeticOperations, into?: OptimizerState): OptimizerState =>
    operations.run({ kind: "snapshot", into: into?.slots }) as OptimizerState;

  it("is in shared memory, and stays as it is while training goes on", () => {
    const operations = operationsOf({ optimizer: { kind: "adam" } });
    apply(operations, requestOf([1, 2]));
    const before = taken(operations);
    const names = Object.keys(before.slots);
    expect(names.length).toBeGreaterThan(1);
    for (const slot of Object.values(before.slots)) {
      expect(slot.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    const values = names.map((name) => [...(before.slots[name] ?? [])]);
    apply(operations, requestOf([5, 6], 2));
    expect(names.map((name) => [...(before.slots[name] ?? [])])).toEqual(values);
  });

  it("is written over one that was given back, without new memory", () => {
    const operations = operationsOf({ optimizer: { kind: "adam" } });
    const first = taken(operations);
    apply(operations, requestOf([1, 2]));
    const second = taken(operations, first);
    expect(second.stepCount).toBe(1);
    expect(second).toEqual(taken(operations));
    for (const [name, slot] of Object.entries(first.slots)) expect(second.slots[name]).toBe(slot);
  });
});

describe("running statistics", () => {
  const statistics: StatisticsLayout = {
    entries: [{ name: "layers.0.norm", size: 1, offset: 0 }],
    size: 2,
  };
  const operations = (): ArithmeticOperations =>
    operationsOf({ optimizer: { kind: "sgd" }, clipping: { kind: "none" }, statistics });
  const request = (...moments: readonly (readonly number[])[]): ApplyRequest => ({
    ...requestOf([1, 2]),
    statistics: Float64Array.of(0, 1),
    moments: moments.map((flat) => Float64Array.from(flat)),
  });

  // 1, 2 and 6 on two leaves, one of them empty-handed twice: mean 3, squared distances 14.
  it("take in the moments of the leaves, and stand in the version's digest", () => {
    const { out, ...rest } = request([2, 1.5, 0.5], [1, 6, 0], [0, 0, 0], [0, 0, 0]);
    const result = apply(operations(), { ...rest, out });
    if (result.problem !== undefined) throw new Error(result.problem.detail);
    expect(result.statistics[0]).toBeCloseTo(0.3, 15);
    expect(result.statistics[1]).toBeCloseTo(1.6, 15);
    const digest = digestOfVersion({ parameters: out, statistics: result.statistics });
    expect(Buffer.from(result.version.digest).toString("hex")).toBe(digest);
    expect([...rest.statistics]).toEqual([0, 1]);
  });

  it("that are not finite leave the optimizer as it is", () => {
    const tried = operations();
    // Finite each, but not the square of their distance.
    const result = apply(tried, request([1, 1e308, 0], [1, -1e308, 0]));
    expect(result.problem).toEqual({
      kind: "statistics",
      detail: "the step makes running statistic 0 -Infinity",
    });
    expect(snapshot(tried).stepCount).toBe(0);
  });
});
