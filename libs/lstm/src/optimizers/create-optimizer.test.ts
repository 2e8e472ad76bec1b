import { describe, expect, it } from "vitest";

import type { ParameterLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import { compileOptimizerSpec } from "./compile-optimizer-spec.js";
import { createOptimizer } from "./create-optimizer.js";
import type { OptimizerState } from "./optimizer.js";
import type { OptimizerSpec } from "./optimizer-keys.js";

const SPECS = [
  { kind: "sgd" },
  { kind: "momentum" },
  { kind: "momentum", momentum: 0.5, nesterov: true },
  { kind: "momentum", dampening: 0.5 },
  { kind: "averagedSgd", t0: 1 },
  { kind: "adagrad", initialAccumulator: 0.5 },
  { kind: "rmsprop" },
  { kind: "rmsprop", momentum: 0.5 },
  { kind: "rmsprop", centered: true },
  { kind: "rmsprop", momentum: 0.5, centered: true },
  { kind: "adam" },
  { kind: "adam", amsgrad: true },
  { kind: "adamw" },
  { kind: "lamb" },
].map(compileOptimizerSpec);

/** Two tensors, of a values and of the rest. */
const layoutOf = (a: number, size: number): ParameterLayout => ({
  tensors: [
    { name: "layer.kernel", shape: [a], offset: 0, size: a },
    { name: "layer.bias", shape: [size - a], offset: a, size: size - a },
  ],
  size,
});
const layout = layoutOf(3, 5);
const ones = (size: number): Float32Array => new Float32Array(size).fill(1);

function update(
  spec: OptimizerSpec,
  state: OptimizerState,
  parameters: Float32Array,
  averagingStartStep?: number,
): Float32Array {
  const out = new Float32Array(parameters.length);
  const gradient = Float32Array.from(parameters, (_, i) => Math.sin(1 + state.stepCount + i));
  const rates = { learningRate: 0.1, gradientScale: 0.5, averagingStartStep };
  createOptimizer(spec, layout).update({ parameters, gradient, state, ...rates, out });
  return out;
}

describe("createOptimizer", () => {
  it("names what its state holds for each parameter", () => {
    expect(SPECS.map((spec) => createOptimizer(spec, layout).slots)).toEqual([
      [],
      ["momentumBuffer"],
      ["momentumBuffer"],
      ["momentumBuffer"],
      ["average"],
      ["squareSum"],
      ["squareAverage"],
      ["squareAverage", "momentumBuffer"],
      ["squareAverage", "gradientAverage"],
      ["squareAverage", "gradientAverage", "momentumBuffer"],
      ["firstMoment", "secondMoment"],
      ["firstMoment", "secondMoment", "maxSecondMoment"],
      ["firstMoment", "secondMoment"],
      ["firstMoment", "secondMoment"],
    ]);
  });
});

describe.each(SPECS)("an optimizer %o", (spec) => {
  it("starts from zeros, or from the initial accumulator", () => {
    const optimizer = createOptimizer(spec, layout);
    const state = optimizer.initialState();
    const start = spec.kind === "adagrad" ? spec.initialAccumulator : 0;
    expect(state.stepCount).toBe(0);
    expect(Object.keys(state.slots)).toEqual(optimizer.slots);
    for (const slot of Object.values(state.slots)) {
      expect(slot).toEqual(new Float32Array(5).fill(start));
    }
  });

  it("changes neither the parameters nor the gradient", () => {
    const parameters = ones(5);
    const gradient = ones(5);
    const optimizer = createOptimizer(spec, layout);
    const out = new Float32Array(5);
    const state = optimizer.initialState();
    optimizer.update({ parameters, gradient, state, learningRate: 0.1, gradientScale: 1, out });
    expect(parameters).toEqual(ones(5));
    expect(gradient).toEqual(ones(5));
    expect(out).not.toEqual(parameters);
  });

  it("goes on from a copy of its state to the same bits", () => {
    const state = createOptimizer(spec, layout).initialState();
    let parameters = ones(5);
    for (let step = 0; step < 3; step++) parameters = update(spec, state, parameters);
    const copy = structuredClone(state);
    const forked = update(spec, copy, update(spec, copy, parameters));
    const straight = update(spec, state, update(spec, state, parameters));
    expect(forked).toEqual(straight);
    expect(copy).toEqual(state);
    expect(copy.stepCount).toBe(5);
  });

  it("has for groups with its own settings the bits it has without groups", () => {
    const groups = [
      { match: "*.bias", learningRateScale: 1, weightDecay: null },
      { match: "*", learningRateScale: 1, weightDecay: spec.weightDecay },
    ];
    const states = [spec, { ...spec, groups }].map((given) => {
      const state = createOptimizer(given, layout).initialState();
      let parameters = ones(5);
      for (let step = 0; step < 3; step++) parameters = update(given, state, parameters);
      return { state, parameters };
    });
    expect(states[1]).toEqual(states[0]);
  });

  it("leaves the tensors of a group with a learning rate of 0 as they are", () => {
    const groups = [{ match: "*.bias", learningRateScale: 0, weightDecay: 0.5 }];
    const frozen: OptimizerSpec = { ...spec, groups };
    const out = update(frozen, createOptimizer(frozen, layout).initialState(), ones(5));
    expect(out.subarray(3)).toEqual(ones(2));
    expect([...out.subarray(0, 3)]).not.toContain(1);
  });

  it("refuses the state of another optimizer, and that of another number of parameters", () => {
    const optimizer = createOptimizer(spec, layout);
    const stray: OptimizerState = { stepCount: 1, slots: { stray: ones(5) } };
    const kept = optimizer.slots.length === 0 ? "none" : optimizer.slots.join(", ");
    expect(() => update(spec, stray, ones(5))).toThrow(
      new LstmError(
        "invalidOptimizerState",
        `the optimizer's state has the slots stray; it must have ${kept}`,
      ),
    );
    const [first] = optimizer.slots;
    if (first === undefined) return;
    const larger = createOptimizer(spec, layoutOf(3, 6)).initialState();
    expect(() => update(spec, larger, ones(5))).toThrow(
      new LstmError("invalidOptimizerState", `slot ${first} has 6 values; there are 5 parameters`),
    );
  });
});

describe("averaged SGD", () => {
  const spec = compileOptimizerSpec({ kind: "averagedSgd", t0: 1000, lambda: 0 });

  /** The parameters after each update, and the average after the last. */
  function train(numSteps: number, startAt: (step: number) => number | undefined) {
    const state = createOptimizer(spec, layout).initialState();
    const path = [ones(5)];
    for (let step = 1; step <= numSteps; step++) {
      path.push(update(spec, state, path.at(-1)!, startAt(step)));
    }
    return { path, average: state.slots["average"]! };
  }

  it("has the parameters themselves for their average until averaging starts", () => {
    const { path, average } = train(4, () => undefined);
    expect(average).toEqual(path[4]);
  });

  it.each([3, 5])(
    "averages from the update that it is told to start at, told after it: %i",
    (at) => {
      // Told from update 4 on, when the last one made was number 3.
      const { path, average } = train(8, (step) => (step <= 3 ? undefined : at));
      const averaged = path.slice(at);
      for (const [i, value] of average.entries()) {
        const mean =
          averaged.reduce((sum, parameters) => sum + parameters[i]!, 0) / averaged.length;
        expect(value).toBeCloseTo(mean, 6);
      }
      expect(path[8]).toEqual(train(8, () => undefined).path[8]);
    },
  );
});

describe("an update that fails", () => {
  it("changes nothing and counts no step", () => {
    const optimizer = createOptimizer(compileOptimizerSpec({ kind: "lamb" }), layout);
    const state = optimizer.initialState();
    const arrays = { parameters: ones(5), gradient: ones(3), out: ones(5) };
    expect(() => optimizer.update({ ...arrays, state, learningRate: 1, gradientScale: 1 })).toThrow(
      new RangeError("gradient has 3 values; the layout has 5"),
    );
    expect(state).toEqual(optimizer.initialState());
    expect(arrays.out).toEqual(ones(5));
  });
});
