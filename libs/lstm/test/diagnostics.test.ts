/** What is measured of gradients: by hand, against finite differences, and without a trace. */
import { memory } from "@tensorflow/tfjs-core";
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { addingProblem, compileModelSpec, copyTask, copyTaskSizes } from "../src/index.js";
import type { SequenceModelSpec } from "../src/index.js";
import {
  createLanguageModel,
  createSequenceModel,
  createTrainer,
  diagnose,
  gateNormsByDistance,
  gateSaturation,
  gradientNorms,
  hiddenNormsByDistance,
  recordLayers,
  sequenceLastStep,
  tokensLastStep,
  updateRatios,
} from "../src/model/index.js";
import type {
  NormsByDistance,
  ObservedLayer,
  SequenceBatch,
  SequenceModel,
  TokenBatch,
} from "../src/model/index.js";
import { randomValues } from "./language-models.js";

beforeAll(() => selectBackend("wasm"));

const leaf = (numRows: number) => [{ leaf: 0, firstRow: 0, numRows }];

const sequenceModel = (keys: Readonly<Record<string, unknown>>): SequenceModel =>
  createSequenceModel(
    compileModelSpec({
      kind: "sequenceModel",
      input: { kind: "values", size: 1 },
      output: "lastStep",
      numTargets: 1,
      loss: { kind: "meanSquared" },
      ...keys,
    }),
  );

/** What one pass over a batch shows. */
function observe(
  model: SequenceModel,
  batch: SequenceBatch,
  isObserved = true,
): { readonly layers: readonly ObservedLayer[]; readonly gradients: Map<string, Float32Array> } {
  const recorder = recordLayers();
  const gradients = new Map<string, Float32Array>();
  model.computeGradients({
    batch,
    seed: 1,
    step: 1,
    onGradient: (name, perLeaf) => {
      for (const [index, values] of perLeaf.entries()) gradients.set(`${name} ${index}`, values);
    },
    observer: isObserved ? recorder.observer : undefined,
  });
  return { layers: recorder.layers(), gradients };
}

describe("the norm by distance of a relu RNN of one unit", () => {
  /**
   * h_t = w·h_{t−1} + x_t, all positive, so that the slope is 1; y = v·h_T; loss (y − target)². Then
   * ∂L/∂h_{T−k} = ∂L/∂a_{T−k} = 2·(y − target)·v·w^k.
   */
  function normsOf(w: number): readonly NormsByDistance[] {
    const model = sequenceModel({ cell: "rnn", activation: "relu", hiddenSize: 1 });
    const [numSteps, v] = [6, 2];
    // layers.0.kernel [x, h], layers.0.bias, head.kernel, head.bias
    expect(model.layout.tensors.map(({ name }) => name)).toEqual([
      "layers.0.kernel",
      "layers.0.bias",
      "head.kernel",
      "head.bias",
    ]);
    model.setParameters(Float32Array.of(1, w, 0, v, 0));
    const inputs = new Float32Array(numSteps);
    inputs[0] = 1;
    // y = 2·w^5; the target is a quarter above it, so that 2·(y − target)·v = −1.
    const targets = Float32Array.of(v * w ** 5 + 0.25);
    const { layers } = observe(model, {
      numSteps,
      numRows: 1,
      inputs,
      targets,
      leaves: leaf(1),
    });
    model.dispose();
    return [hiddenNormsByDistance(layers[0]!), gateNormsByDistance(layers[0]!)];
  }

  it.each([
    ["vanishes", 0.5],
    ["stays", 1],
    ["explodes", 2],
  ])("%s with w = %d: it is w^k", (_, w) => {
    for (const { norms, factorPerStep: factor } of normsOf(w)) {
      expect(norms).toEqual([0, 1, 2, 3, 4, 5].map((k) => w ** k));
      expect(factor).toBeCloseTo(w, 12);
    }
  });

  it("is zero everywhere behind a unit that is dead", () => {
    // A negative input switches the unit off at the third step.
    const model = sequenceModel({ cell: "rnn", activation: "relu", hiddenSize: 1 });
    model.setParameters(Float32Array.of(1, 1, 0, 1, 0));
    const { layers } = observe(model, {
      numSteps: 4,
      numRows: 1,
      inputs: Float32Array.of(1, 1, -5, 1),
      targets: Float32Array.of(0),
      leaves: leaf(1),
    });
    // y = 1: 2·(1 − 0)·1 at the last step. The state before it, the dead unit's zero, is still read by it, while
    // no change of what the dead unit adds up is.
    const [hidden, gates] = [hiddenNormsByDistance(layers[0]!), gateNormsByDistance(layers[0]!)];
    expect(hidden).toEqual({ norms: [2, 2, 0, 0], factorPerStep: 0 });
    expect(gates).toEqual({ norms: [2, 0, 0, 0], factorPerStep: 0 });
    expect(gateSaturation(layers[0]!, model.spec)).toEqual([
      { gate: "hidden", activation: "relu", left: 0.25, right: 0 },
    ]);
    model.dispose();
  });
});

describe.each([
  ["rnn", {}],
  ["gru", {}],
  ["gru", { resetAfter: false }],
  ["lstm", {}],
  ["lstm", { coupledGates: true, peephole: true }],
  ["lstm", { projectionSize: 2 }],
])("the gate gradients of %s %o", (cell, options) => {
  it("are what a small change of the gates' inputs changes the loss by", () => {
    // An input of ones: row t of the input kernel's columns is a bias of its own at step t alone if the
    // inputs are one-hot in time. Then the gradient of kernel row t is the gate gradient at t.
    const numSteps = 5;
    const model = sequenceModel({
      cell,
      hiddenSize: 3,
      input: { kind: "values", size: numSteps },
      ...options,
    });
    const values = randomValues(7);
    const parameters = values(model.layout.size);
    const inputs = new Float32Array(numSteps * numSteps);
    for (let t = 0; t < numSteps; t++) inputs[t * numSteps + t] = 1;
    const batch = {
      numSteps,
      numRows: 1,
      inputs,
      targets: Float32Array.of(0.3),
      leaves: leaf(1),
    };
    const lossOf = (flat: Float32Array): number => {
      model.setParameters(flat);
      return model.evaluate({ batch })[0]!.lossSum;
    };
    model.setParameters(parameters);
    const { layers } = observe(model, batch);
    const { norms } = gateNormsByDistance(layers[0]!);
    const kernel = model.layout.tensors.find(({ name }) => name === "layers.0.kernel")!;
    const width = kernel.shape[1]!;
    for (let k = 0; k < numSteps; k++) {
      const first = kernel.offset + (numSteps - 1 - k) * width;
      let squares = 0;
      for (let column = 0; column < width; column++) {
        const changed = (by: number): number => {
          const flat = parameters.slice();
          flat[first + column]! += by;
          return lossOf(flat);
        };
        const h = 1 / 64;
        // Fourth order (Abramowitz and Stegun, 25.3.6), for a float32 forward.
        const slope =
          (8 * (changed(h) - changed(-h)) - (changed(2 * h) - changed(-2 * h))) / (12 * h);
        squares += slope ** 2;
      }
      expect(Math.abs(norms[k]! - Math.sqrt(squares))).toBeLessThan(2e-4 * norms[0]!);
    }
    model.dispose();
  });
});

describe("an observer", () => {
  const task = { numSymbols: 2, delay: 3, alphabetSize: 4 };
  const { vocabularySize, numTargets } = copyTaskSizes(task);

  it.each(["rnn", "gru", "lstm"])(
    "changes no bit of the gradients of %s and leaves no tensor",
    (cell) => {
      const model = sequenceModel({
        cell,
        hiddenSize: 5,
        numLayers: 2,
        bidirectional: true,
        dropout: 0.3,
        normalization: "batch",
        input: { kind: "tokens", vocabularySize, embeddingSize: 3 },
        output: "everyStep",
        numTargets,
        loss: { kind: "crossEntropy" },
      });
      model.setParameters(randomValues(3)(model.layout.size));
      const drawn = copyTask({ ...task, numRows: 4, seed: 1, step: 1 });
      const batch = {
        ...drawn,
        lengths: Int32Array.of(7, 3, 5, 6),
        leaves: [
          { leaf: 0, firstRow: 0, numRows: 2 },
          { leaf: 1, firstRow: 2, numRows: 2 },
        ],
      };
      const without = observe(model, batch, false);
      const before = memory().numTensors;
      const seen = observe(model, batch);
      expect(memory().numTensors).toBe(before);
      expect(seen.gradients).toEqual(without.gradients);
      expect(without.layers).toEqual([]);
      expect(seen.layers.map(({ name }) => name)).toEqual([
        "layers.0.forward",
        "layers.0.backward",
        "layers.1.forward",
        "layers.1.backward",
      ]);
      model.dispose();
    },
  );

  it("tells distances in time of both directions: from the last one a gradient comes at once", () => {
    const keys = { cell: "rnn", hiddenSize: 3, bidirectional: true };
    const model = sequenceModel(keys);
    model.setParameters(randomValues(3)(model.layout.size));
    const { layers } = observe(model, {
      numSteps: 4,
      numRows: 2,
      inputs: randomValues(1)(8),
      targets: Float32Array.of(0, 1),
      lengths: Int32Array.of(4, 3),
      leaves: leaf(2),
    });
    for (const of of [hiddenNormsByDistance, gateNormsByDistance]) {
      const [ahead, back] = layers.map((layer) => of(layer).norms);
      expect(ahead!.every((norm) => norm > 0)).toBe(true);
      // The state that starts at the last step has read nothing else when the head reads it.
      expect(back![0]).toBeGreaterThan(0);
      expect(back!.slice(1)).toEqual([0, 0, 0]);
    }
    model.dispose();
  });
});

describe("gateSaturation", () => {
  const layer = (
    gates: ObservedLayer["gates"],
    activations: readonly number[],
    lengths?: readonly number[],
  ): ObservedLayer => ({
    name: "layers.0",
    numSteps: 2,
    numRows: 1,
    lengths: lengths && Int32Array.from(lengths),
    gates,
    activations: Float32Array.from(activations),
    gateGradients: new Float32Array(0),
    hiddenGradients: new Float32Array(0),
    outputGradients: new Float32Array(0),
  });

  it("counts the ends of each gate apart", () => {
    // H = 2; columns reset, update, candidate; two steps.
    const seen = layer(
      ["reset", "update", "candidate"],
      [0.01, 0.5, 0.99, 0.96, -0.99, 0.1, 0.06, 0.04, 0.94, 0.5, 0.97, -0.94],
    );
    expect(gateSaturation(seen, { activation: "tanh" })).toEqual([
      { gate: "reset", activation: "sigmoid", left: 0.5, right: 0 },
      { gate: "update", activation: "sigmoid", left: 0, right: 0.5 },
      { gate: "candidate", activation: "tanh", left: 0.25, right: 0.25 },
    ]);
  });

  it("does not read the padding", () => {
    const seen = layer(["hidden"], [0.5, 0.99], [1]);
    expect(gateSaturation(seen, { activation: "tanh" })).toEqual([
      { gate: "hidden", activation: "tanh", left: 0, right: 0 },
    ]);
  });
});

describe("gradientNorms and updateRatios", () => {
  const tensor = (name: string, offset: number, size: number) => ({
    name,
    shape: [size],
    offset,
    size,
  });
  const layout = {
    size: 4,
    tensors: [
      tensor("layers.0.kernel", 0, 2),
      tensor("layers.0.bias", 2, 1),
      tensor("head.bias", 3, 1),
    ],
  };

  it("average, and take a layer's tensors together", () => {
    // (6, 8 | 24 | 0) / 2: 5, 12 and 13 of them together.
    expect(gradientNorms(layout, Float32Array.of(6, 8, 24, 0), 2)).toEqual({
      global: 13,
      layers: [
        { name: "layers.0", norm: 13 },
        { name: "head", norm: 0 },
      ],
      tensors: [
        { name: "layers.0.kernel", norm: 5 },
        { name: "layers.0.bias", norm: 12 },
        { name: "head.bias", norm: 0 },
      ],
    });
  });

  it("compare an update with the weights, and say nothing of weights of zero", () => {
    const ratios = updateRatios(layout, Float32Array.of(3, 4, 2, 0), Float32Array.of(3, 4.5, 2, 1));
    expect(ratios).toEqual([
      { name: "layers.0.kernel", weightNorm: 5, updateNorm: 0.5, ratio: 0.1 },
      { name: "layers.0.bias", weightNorm: 2, updateNorm: 0, ratio: 0 },
      { name: "head.bias", weightNorm: 0, updateNorm: 1, ratio: undefined },
    ]);
  });
});

describe("the loss at the last step alone", () => {
  it("is at each row's own last step", () => {
    const spec: Pick<SequenceModelSpec, "loss" | "output"> = {
      output: "everyStep",
      loss: { kind: "meanSquared" },
    };
    const batch = {
      numSteps: 3,
      numRows: 2,
      inputs: new Float32Array(6),
      targets: new Float32Array(6),
      lengths: Int32Array.of(3, 2),
      leaves: leaf(2),
    };
    expect([...sequenceLastStep(spec, batch).weights!]).toEqual([0, 0, 0, 1, 1, 0]);
    expect([...sequenceLastStep({ ...spec, output: "lastStep" }, batch).weights!]).toEqual([1, 1]);
    const loss = { kind: "ctc", blankIndex: 0, zeroInfinity: false } as const;
    expect(() => sequenceLastStep({ ...spec, loss }, batch)).toThrow("'ctc'");
  });

  it("is at the segment's last position", () => {
    const tokens = new Int32Array(4);
    const weights = new Float32Array(4).fill(1);
    const batch: TokenBatch = {
      numSteps: 2,
      numRows: 2,
      inputs: tokens,
      targets: tokens,
      weights,
      leaves: leaf(2),
    };
    expect([...tokensLastStep(batch).weights]).toEqual([0, 0, 1, 1]);
    expect([...weights]).toEqual([1, 1, 1, 1]);
  });
});

describe("diagnose", () => {
  const batchOf = (step: number): SequenceBatch => ({
    ...addingProblem({ length: 12, numRows: 8, seed: 2, step }),
    leaves: [
      { leaf: 0, firstRow: 0, numRows: 4 },
      { leaf: 1, firstRow: 4, numRows: 4 },
    ],
  });
  const settings = { seed: 3, optimizer: { kind: "adam" }, learningRate: 0.01 };

  it("tells of the next update what a step of the trainer then does, and leaves it as it was", () => {
    const none = memory().numTensors;
    const model = sequenceModel({ cell: "gru", hiddenSize: 4, input: { kind: "values", size: 2 } });
    const trainer = createTrainer({ model, ...settings });
    trainer.trainStep({ batch: batchOf(1) });
    const before = trainer.state();
    const input = { batch: batchOf(2) };
    const lastStep = { batch: sequenceLastStep(model.spec, input.batch) };
    const found = diagnose({ model, trainer, input, lastStep, seed: 3 });
    expect(trainer.state()).toEqual(before);
    const step = trainer.trainStep(input);
    expect(found.step).toBe(1);
    expect(found.loss).toBe(step.loss);
    expect(found.gradient.global).toBe(step.gradientNorm);
    expect(found.update!.learningRate).toBe(step.learningRate);
    const kernel = found.update!.tensors.find(({ name }) => name === "head.kernel")!;
    const { offset, size } = model.layout.tensors.find(({ name }) => name === "head.kernel")!;
    const difference = Math.hypot(
      ...Array.from({ length: size }, (_, n) => {
        return trainer.state().parameters[offset + n]! - before.parameters[offset + n]!;
      }),
    );
    expect(kernel.updateNorm).toBeCloseTo(difference, 12);
    expect(found.layers[0]!.byDistance!.hidden.norms).toHaveLength(12);
    expect(found.layers[0]!.byDistance!.gates.norms).toHaveLength(12);
    expect(found.layers[0]!.gates.map(({ gate }) => gate)).toEqual([
      "reset",
      "update",
      "candidate",
    ]);
    model.dispose();
    expect(memory().numTensors).toBe(none);
  });

  it("has no distances to tell of where there is no loss of the last step alone", () => {
    const model = sequenceModel({ cell: "gru", hiddenSize: 4, input: { kind: "values", size: 2 } });
    const trainer = createTrainer({ model, ...settings });
    const input = { batch: batchOf(1) };
    const found = diagnose({ model, trainer, input, lastStep: undefined, seed: 3 });
    expect(found.layers.map(({ byDistance }) => byDistance)).toEqual([undefined]);
    expect(found.layers[0]!.outputGradientNorm).toBeGreaterThan(0);
    model.dispose();
  });

  it("has no update to tell of where the gradient is not finite", () => {
    const model = sequenceModel({
      cell: "rnn",
      activation: "relu",
      hiddenSize: 1,
      input: { kind: "values", size: 2 },
    });
    // Ten million to the twelfth is beyond a float32.
    const parameters = Float32Array.of(1, 1, 1e7, 0, 1, 0);
    const trainer = createTrainer({ model, ...settings, parameters });
    const input = { batch: batchOf(1) };
    const found = diagnose({ model, trainer, input, lastStep: input, seed: 3 });
    expect(found.update).toBeUndefined();
    expect(Number.isFinite(found.gradient.global)).toBe(false);
    model.dispose();
  });

  it("takes a language model with its states", () => {
    const spec = compileModelSpec({ kind: "languageModel", vocabularySize: 5, hiddenSize: 4 });
    const model = createLanguageModel(spec);
    const trainer = createTrainer({ model, ...settings });
    const tokens = Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2);
    const weights = new Float32Array(8).fill(1);
    const batch = {
      numSteps: 4,
      numRows: 2,
      inputs: tokens,
      targets: tokens,
      weights,
      leaves: leaf(2),
    };
    const states = [new Float32Array(2 * 8)];
    const lastStep = { batch: tokensLastStep(batch), states };
    const found = diagnose({ model, trainer, input: { batch, states }, lastStep, seed: 1 });
    expect(found.layers.map(({ name }) => name)).toEqual(["layers.0"]);
    expect(found.layers[0]!.gates.map(({ gate }) => gate)).toEqual([
      "input",
      "forget",
      "cell",
      "output",
    ]);
    expect(found.layers[0]!.byDistance!.hidden.norms).toHaveLength(4);
    model.dispose();
  });
});
