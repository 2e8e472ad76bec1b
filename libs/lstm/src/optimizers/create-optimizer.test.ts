import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { createOptimizer } from "./create-optimizer.js";
import type { OptimizerState } from "./optimizer.js";
import type { OptimizerSpec } from "./optimizer-spec.js";

const adam: OptimizerSpec = { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const momentum: OptimizerSpec = { kind: "momentum", momentum: 0.9, nesterov: false };
const rmsprop = (share: number): OptimizerSpec => ({
  kind: "rmsprop",
  decay: 0.99,
  epsilon: 1e-8,
  momentum: share,
  centered: false,
});

const SPECS: readonly OptimizerSpec[] = [
  { kind: "sgd" },
  momentum,
  { kind: "momentum", momentum: 0.5, nesterov: true },
  rmsprop(0),
  rmsprop(0.5),
  adam,
];

const ones = (size: number): Float32Array => new Float32Array(size).fill(1);

function update(
  spec: OptimizerSpec,
  state: OptimizerState,
  parameters: Float32Array,
): Float32Array {
  const out = new Float32Array(parameters.length);
  const gradient = Float32Array.from(parameters, (_, i) => Math.sin(state.stepCount + i));
  createOptimizer(spec).update({
    parameters,
    gradient,
    state,
    learningRate: 0.1,
    gradientScale: 0.5,
    out,
  });
  return out;
}

describe("createOptimizer", () => {
  it("names what its state holds for each parameter", () => {
    expect(SPECS.map((spec) => createOptimizer(spec).slots)).toEqual([
      [],
      ["momentumBuffer"],
      ["momentumBuffer"],
      ["squareAverage"],
      ["squareAverage", "momentumBuffer"],
      ["firstMoment", "secondMoment"],
    ]);
  });

  it.each([
    [
      { ...adam, beta1: 1 },
      "beta1 of the adam optimizer is 1; it must be a number from 0 to below 1",
    ],
    [
      { ...adam, beta2: NaN },
      "beta2 of the adam optimizer is NaN; it must be a number from 0 to below 1",
    ],
    [{ ...adam, epsilon: 0 }, "epsilon of the adam optimizer is 0; it must be a number above 0"],
    [
      rmsprop(-0.1),
      "momentum of the rmsprop optimizer is -0.1; it must be a number from 0 to below 1",
    ],
    [
      { ...momentum, momentum: 1.5 },
      "momentum of the momentum optimizer is 1.5; it must be a number from 0 to below 1",
    ],
    [
      { ...rmsprop(0), centered: true } as unknown as OptimizerSpec,
      "centered of the rmsprop optimizer is true; it must be false",
    ],
    [
      JSON.parse('{"kind":"momentum","momentum":0.9}') as OptimizerSpec,
      "nesterov of the momentum optimizer is undefined; it must be true or false",
    ],
    [
      { ...momentum, nesterov: "yes\n" } as unknown as OptimizerSpec,
      'nesterov of the momentum optimizer is "yes\\n"; it must be true or false',
    ],
    [
      JSON.parse('{"kind":"lion"}') as OptimizerSpec,
      `there is no optimizer "lion"; there are 'sgd', 'momentum', 'rmsprop' and 'adam'`,
    ],
  ])("refuses %o", (spec, message) => {
    expect(() => createOptimizer(spec)).toThrow(new LstmError("invalidOptimizer", message));
  });
});

describe.each(SPECS)("an optimizer $kind", (spec) => {
  it("starts from zeros", () => {
    const optimizer = createOptimizer(spec);
    const state = optimizer.initialState(3);
    expect(state.stepCount).toBe(0);
    expect(Object.keys(state.slots)).toEqual(optimizer.slots);
    for (const slot of Object.values(state.slots)) expect(slot).toEqual(new Float32Array(3));
  });

  it("changes neither the parameters nor the gradient", () => {
    const parameters = ones(3);
    const gradient = ones(3);
    const optimizer = createOptimizer(spec);
    const out = new Float32Array(3);
    const state = optimizer.initialState(3);
    optimizer.update({ parameters, gradient, state, learningRate: 0.1, gradientScale: 1, out });
    expect(parameters).toEqual(ones(3));
    expect(gradient).toEqual(ones(3));
    expect(out).not.toEqual(parameters);
  });

  it("goes on from a copy of its state to the same bits", () => {
    const state = createOptimizer(spec).initialState(5);
    let parameters = ones(5);
    for (let step = 0; step < 3; step++) parameters = update(spec, state, parameters);
    const copy = structuredClone(state);
    const forked = update(spec, copy, update(spec, copy, parameters));
    const straight = update(spec, state, update(spec, state, parameters));
    expect(forked).toEqual(straight);
    expect(copy).toEqual(state);
    expect(copy.stepCount).toBe(5);
  });

  it("refuses the state of another optimizer, and that of another number of parameters", () => {
    const optimizer = createOptimizer(spec);
    const stray: OptimizerState = { stepCount: 1, slots: { stray: ones(2) } };
    const kept = optimizer.slots.length === 0 ? "none" : optimizer.slots.join(", ");
    expect(() => update(spec, stray, ones(2))).toThrow(
      new LstmError(
        "invalidOptimizerState",
        `the optimizer's state has the slots stray; it must have ${kept}`,
      ),
    );
    const [first] = optimizer.slots;
    if (first === undefined) return;
    expect(() => update(spec, optimizer.initialState(3), ones(2))).toThrow(
      new LstmError("invalidOptimizerState", `slot ${first} has 3 values; there are 2 parameters`),
    );
  });
});

describe("an update that fails", () => {
  it("counts no step", () => {
    const optimizer = createOptimizer(adam);
    const state = optimizer.initialState(2);
    const arrays = { parameters: ones(2), gradient: ones(3), out: ones(2) };
    expect(() => optimizer.update({ ...arrays, state, learningRate: 1, gradientScale: 1 })).toThrow(
      new RangeError("gradient has 3 values; it must have as many as parameters: 2"),
    );
    expect(state.stepCount).toBe(0);
  });
});
