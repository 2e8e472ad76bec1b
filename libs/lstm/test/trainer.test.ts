/** Training in this process: what a run's parts give together, and that a state is all there is. */
import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import { selectBackend } from "@ostinato/kernels/tensor";
import { tensor1d, tensor2d, tensor3d, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";

import {
  addingProblem,
  compileModelSpec,
  compileOptimizerSpec,
  createParameterUpdate,
  initialParameters,
  LstmError,
} from "../src/index.js";
import {
  createSequenceModel,
  createTrainer,
  predictTensor,
  sequenceBatch,
} from "../src/model/index.js";
import type {
  SequenceBatch,
  SequenceModel,
  Trainer,
  TrainerSettingsInput,
  TrainerState,
} from "../src/model/index.js";
import { bitsOf } from "./language-models.js";

type SequenceTrainer = Trainer<{ readonly batch: SequenceBatch }>;

const modelOf = (changes: Readonly<Record<string, unknown>> = {}): SequenceModel =>
  createSequenceModel(
    compileModelSpec({
      kind: "sequenceModel",
      input: { kind: "values", size: 2 },
      hiddenSize: 6,
      output: "lastStep",
      numTargets: 1,
      loss: { kind: "meanSquared" },
      ...changes,
    }),
  );

const batchOf = (step: number, numLeaves = 2): SequenceBatch => {
  const leaves = Array.from({ length: numLeaves }, (_, leaf) => ({
    leaf,
    firstRow: leaf * 3,
    numRows: 3,
  }));
  return { ...addingProblem({ length: 6, numRows: 3 * numLeaves, seed: 1, step }), leaves };
};

const ADAM: TrainerSettingsInput = { optimizer: { kind: "adam" }, learningRate: 0.01 };

interface Held {
  readonly model: SequenceModel;
  readonly trainer: SequenceTrainer;
}

/** Everything that a state holds, as text. */
function stateBits(trainer: SequenceTrainer): unknown {
  const { optimizer, parameters, statistics, ...others } = trainer.state();
  return {
    ...others,
    parameters: bitsOf(parameters),
    statistics: [...statistics],
    stepCount: optimizer.stepCount,
    slots: Object.entries(optimizer.slots).map(([name, values]) => [name, bitsOf(values)]),
  };
}

// A model reads a trainer's parameters in place on the one, from copies on the other.
describe.each(["cpu", "wasm"] as const)("a trainer on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("makes the same steps whether somebody keeps its versions or their memory is used again", () => {
    const [looked, left] = [modelOf(), modelOf()].map((model) => ({
      model,
      trainer: createTrainer({ model, seed: 4, ...ADAM }),
    })) as [Held, Held];
    const kept: [Float32Array, string][] = [];
    for (let step = 1; step <= 4; step++) {
      const batch = batchOf(step);
      expect(left.trainer.trainStep({ batch })).toEqual(looked.trainer.trainStep({ batch }));
      const { parameters } = looked.trainer;
      kept.push([parameters, bitsOf(parameters)]);
    }
    expect(bitsOf(left.trainer.parameters)).toBe(kept.at(-1)![1]);
    for (const [parameters, bits] of kept) expect(bitsOf(parameters)).toBe(bits);
    for (const { model } of [looked, left]) model.dispose();
  });

  it("makes the steps of a run: leaves in tree order, average, clip, optimizer", () => {
    const model = modelOf();
    const trainer = createTrainer({ model, seed: 4, ...ADAM });
    const other = modelOf();
    const { layout } = other;
    const update = createParameterUpdate({
      optimizer: compileOptimizerSpec({ kind: "adam" }),
      clipping: { kind: "globalNorm", maxNorm: 1 },
      gradientNoise: null,
      layout,
      seed: 4,
    });
    const state = update.initialState();
    let parameters = initialParameters(other.spec, 4);
    for (let step = 1; step <= 3; step++) {
      other.setParameters(parameters);
      const gradient = new Float32Array(layout.size);
      const batch = batchOf(step);
      const outcomes = other.computeGradients({
        batch,
        seed: 4,
        step,
        onGradient: (name, perLeaf) => {
          const { offset } = layout.tensors.find((tensor) => tensor.name === name)!;
          gradient.set(sumLeavesInTreeOrder(perLeaf), offset);
        },
      });
      const lossWeight = outcomes.reduce((sum, outcome) => sum + outcome.lossWeight, 0);
      const out = new Float32Array(layout.size);
      const request = { parameters, gradient, lossWeight, learningRate: 0.01, step, state, out };
      const { gradientNorm } = update.apply(request);
      parameters = out;
      const result = trainer.trainStep({ batch });
      expect(result).toMatchObject({ step, gradientNorm, learningRate: 0.01 });
      expect(bitsOf(trainer.parameters)).toBe(bitsOf(parameters));
    }
    model.dispose();
    other.dispose();
  });

  it("gives the model each version once, and again where others have given it theirs", () => {
    const model = modelOf();
    const given: Float32Array[] = [];
    const setParameters = (flat: Float32Array): void => {
      given.push(flat);
      model.setParameters(flat);
    };
    const trainer = createTrainer({ model: { ...model, setParameters }, seed: 4, ...ADAM });
    const other = modelOf();
    const undisturbed = createTrainer({ model: other, seed: 4, ...ADAM });
    const versions = [trainer.parameters];
    for (let step = 1; step <= 2; step++) {
      trainer.trainStep({ batch: batchOf(step) });
      undisturbed.trainStep({ batch: batchOf(step) });
      versions.push(trainer.parameters);
    }
    expect(given).toHaveLength(3);
    for (const [n, version] of versions.entries()) expect(given[n]).toBe(version);
    model.setParameters(initialParameters(model.spec, 9));
    trainer.trainStep({ batch: batchOf(3) });
    undisturbed.trainStep({ batch: batchOf(3) });
    expect(bitsOf(trainer.parameters)).toBe(bitsOf(undisturbed.parameters));
    model.dispose();
    other.dispose();
  });

  it("takes a step with a gradient of 0 where no target counts, whatever else has a gradient", () => {
    const model = modelOf({ activationPenalty: 1 });
    const optimizer = { kind: "sgd", weightDecay: 0.5 } as const;
    const trainer = createTrainer({ model, seed: 4, optimizer, learningRate: 0.25 });
    const before = trainer.parameters.slice();
    const given = batchOf(1);
    // A class of weight 0, or an ignored one, comes to the same; smoothing and penalties have gradients.
    const batch = { ...given, weights: new Float32Array(given.numRows) };
    const { loss, gradientNorm, step } = trainer.trainStep({ batch });
    expect([loss, gradientNorm, step]).toEqual([NaN, 0, 1]);
    // Weight decay alone: p − 0.25 × 0.5 p.
    expect([...trainer.parameters]).toEqual([...before].map((p) => Math.fround(p * 0.875)));
    expect(trainer.evaluate({ batch }).loss).toBeNaN();
    expect(trainer.trainStep({ batch: batchOf(2) }).gradientNorm).toBeGreaterThan(0);
    model.dispose();
  });

  it("has no gradient of label smoothing where the class that is there has the weight 0", () => {
    const loss = { kind: "crossEntropy", classWeights: [0, 1], labelSmoothing: 0.2 };
    const model = modelOf({ loss, numTargets: 2 });
    const optimizer = { kind: "sgd" } as const;
    const trainer = createTrainer({ model, seed: 4, optimizer, learningRate: 0.25 });
    const before = bitsOf(trainer.parameters);
    const given = batchOf(1);
    const batch = { ...given, targets: new Int32Array(given.numRows) };
    const { outcomes } = trainer.trainStep({ batch });
    expect(outcomes[0]?.lossSum).toBeGreaterThan(0);
    expect(bitsOf(trainer.parameters)).toBe(before);
    model.dispose();
  });

  it.each<
    [
      string,
      Partial<TrainerSettingsInput>,
      Readonly<Record<string, unknown>>,
      /** What the last state shows where the case took place. */
      object,
    ]
  >([
    ["momentum", { optimizer: { kind: "momentum" } }, {}, {}],
    ["AMSGrad with weight decay", { optimizer: { kind: "adamw", amsgrad: true } }, {}, {}],
    ["gradient noise", { gradientNoise: { scale: 0.1, decay: 0.55 } }, {}, {}],
    ["batch normalization's running statistics", {}, { normalization: "batch", numLayers: 2 }, {}],
    ["dropout and zoneout", {}, { inputDropout: 0.3, zoneoutHidden: 0.2, weightDropout: 0.2 }, {}],
    [
      "a plateau",
      { schedule: { kind: "plateau", factor: 0.5, patience: 0, threshold: 0.5 } },
      {},
      { decisions: { learningRateFactor: 0.25 } },
    ],
    [
      "early stopping",
      { earlyStopping: { patience: 2, minDelta: 1 } },
      {},
      { decisions: { stop: { reason: "earlyStopping", step: 9 } } },
    ],
    [
      "averaged SGD whose averaging began before",
      { optimizer: { kind: "averagedSgd", t0: 0 }, learningRate: 0.5 },
      {},
      {},
    ],
    [
      "averaged SGD whose averaging an evaluation begins",
      { optimizer: { kind: "averagedSgd", nonmonotonicInterval: 0 }, learningRate: 1 },
      {},
      { decisions: { averaging: { startStep: 6 } } },
    ],
    [
      "a schedule with warm-up",
      { schedule: { kind: "cosine", totalSteps: 9, warmupSteps: 3 } },
      {},
      {},
    ],
  ])("goes on from a state to the same bits: %s", (_, settings, spec, shown) => {
    const model = modelOf(spec);
    const trainerOf = (): SequenceTrainer =>
      createTrainer({ model, seed: 7, ...ADAM, ...settings });
    /** Rounds of three steps and an evaluation, from `first` to the third. */
    const train = (trainer: SequenceTrainer, first: number): unknown[] =>
      [0, 1, 2].slice(first).flatMap((round) => {
        const results = [1, 2, 3].map((k) => {
          const { loss, learningRate } = trainer.trainStep({ batch: batchOf(3 * round + k) });
          return { loss, learningRate };
        });
        const { loss } = trainer.evaluate({ batch: batchOf(1000) });
        const { isBest, learningRateFactor, shouldStop } = trainer.decide(loss);
        return [...results, loss, { isBest, learningRateFactor, shouldStop }];
      });
    const undisturbed = trainerOf();
    const results = train(undisturbed, 0);
    const interrupted = trainerOf();
    const firstRound = [1, 2, 3].map((k) => interrupted.trainStep({ batch: batchOf(k) }).loss);
    interrupted.decide(interrupted.evaluate({ batch: batchOf(1000) }).loss);
    const resumed = trainerOf();
    resumed.restore(interrupted.state());
    // What the first trainer does afterwards is not the second one's.
    interrupted.trainStep({ batch: batchOf(99) });
    expect(train(resumed, 1)).toEqual(results.slice(5));
    expect(stateBits(resumed)).toEqual(stateBits(undisturbed));
    const last = resumed.state();
    expect(last).toMatchObject(shown);
    const { average } = last.optimizer.slots;
    if (average !== undefined) expect(bitsOf(average)).not.toBe(bitsOf(last.parameters));
    expect(firstRound).toEqual(
      results.slice(0, 3).map((result) => (result as { loss: number }).loss),
    );
    model.dispose();
  });

  it("evaluates with the average, and trains on without it", () => {
    const model = modelOf();
    const trainer = createTrainer({
      model,
      seed: 2,
      optimizer: { kind: "averagedSgd", t0: 0 },
      learningRate: 0.5,
    });
    const versions: Float32Array[] = [];
    for (let step = 1; step <= 4; step++) {
      trainer.trainStep({ batch: batchOf(step) });
      versions.push(trainer.state().parameters);
    }
    // PyTorch's: averaging starts with update t0 + 2.
    const mean = versions[0]!.map(
      (_, k) => (versions[1]![k]! + versions[2]![k]! + versions[3]![k]!) / 3,
    );
    for (const [k, value] of trainer.parameters.entries()) {
      expect(Math.abs(value - mean[k]!)).toBeLessThan(1e-6);
    }
    const { loss } = trainer.evaluate({ batch: batchOf(50) });
    const other = modelOf();
    other.setParameters(trainer.parameters);
    const [first, second] = other.evaluate({ batch: batchOf(50) });
    expect(loss).toBe((first!.lossSum + second!.lossSum) / 6);
    model.dispose();
    other.dispose();
  });

  it("needs the epoch where a schedule counts in epochs", () => {
    const model = modelOf();
    const schedule = { kind: "decayFromEpoch", fullEpochs: 1, gamma: 0.5 };
    const trainer = createTrainer({ model, seed: 2, ...ADAM, schedule });
    expect(() => trainer.trainStep({ batch: batchOf(1) })).toThrow(
      "epoch of the learning-rate schedule is NaN; it must be a whole number from 0 on",
    );
    expect(trainer.step).toBe(0);
    const rates = [0, 1, 2].map((epoch) => trainer.trainStep({ batch: batchOf(1) }, { epoch }));
    expect(rates.map(({ learningRate }) => learningRate)).toEqual([0.01, 0.005, 0.0025]);
    model.dispose();
  });

  it("leaves the average in its model also when a step fails", () => {
    const model = modelOf();
    const optimizer = { kind: "averagedSgd", t0: 0 };
    const trainer = createTrainer({ model, seed: 2, optimizer, learningRate: 0.5 });
    for (let step = 1; step <= 3; step++) trainer.trainStep({ batch: batchOf(step) });
    const before = bitsOf(model.predict(batchOf(4)));
    const targets = (batchOf(4).targets as Float32Array).map(() => NaN);
    expect(() => trainer.trainStep({ batch: { ...batchOf(4), targets } })).toThrow(LstmError);
    expect(bitsOf(model.predict(batchOf(4)))).toBe(before);
    model.dispose();
  });

  it("refuses the state of another model or optimizer, and stays as it was", () => {
    const model = modelOf();
    const trainer = createTrainer({ model, seed: 2, ...ADAM });
    trainer.trainStep({ batch: batchOf(1) });
    const [before, state] = [stateBits(trainer), trainer.state()];
    const { firstMoment, ...fewer } = state.optimizer.slots;
    for (const [changes, message] of [
      [{ parameters: new Float32Array(3) }, "parameters have 3 values, the model has "],
      [{ statistics: new Float64Array(4) }, "running statistics have 4 values, the model has 0"],
      [
        { optimizer: { stepCount: 1, slots: fewer } },
        "the optimizer's state has the slots secondMoment; it must have firstMoment, secondMoment",
      ],
      [
        { optimizer: { stepCount: 1, slots: { ...fewer, firstMoment: firstMoment!.slice(1) } } },
        "slot firstMoment has ",
      ],
      [
        { optimizer: { ...state.optimizer, stepCount: NaN } },
        "the optimizer's stepCount is NaN; it must be a whole number from 0",
      ],
      [{ step: NaN }, "state.step is NaN; it must be a whole number from 0 to 4294967295"],
      [{ step: 1.5 }, "state.step is 1.5; it must be a whole number"],
      [
        { parameters: state.parameters.map((value, k) => (k === 5 ? -Infinity : value)) },
        `parameters: value 5 of ${model.layout.tensors[0]!.name} is -Infinity; it must be a finite number`,
      ],
      [{ decisions: null }, "state.decisions is null; it must be a group of keys"],
      [
        { decisions: { ...state.decisions, learningRateFactor: NaN } },
        "state.decisions.learningRateFactor is NaN; it must be a finite number",
      ],
      [
        { decisions: { ...state.decisions, earlyStopping: { best: "no", numBad: 0 } } },
        'state.decisions.earlyStopping.best is "no"; it must be a finite number, or null',
      ],
    ] as const) {
      const restore = (): void => {
        trainer.restore({ ...state, ...changes } as TrainerState);
      };
      expect(restore).toThrow(LstmError);
      expect(restore).toThrow(message);
      expect(stateBits(trainer)).toEqual(before);
    }
    model.dispose();
  });

  it.each<[number, string]>([
    [1.5, "trainer.seed is 1.5; it must be a whole number from 0 to 4294967295"],
    [-1, "trainer.seed is -1; it must be"],
    [2 ** 32, "trainer.seed is 4294967296; it must be"],
    [NaN, "trainer.seed is NaN; it must be"],
  ])("refuses the seed %s, with parameters given and without", (seed, message) => {
    const model = modelOf();
    for (const parameters of [undefined, initialParameters(model.spec, 1)]) {
      const given = parameters === undefined ? {} : { parameters };
      const create = (): unknown => createTrainer({ model, seed, ...ADAM, ...given });
      expect(create).toThrow(expect.objectContaining({ code: "invalidOptimizer" }));
      expect(create).toThrow(message);
    }
  });

  it("refuses parameters that are not finite, by the first one's tensor, and another number of them", () => {
    const model = modelOf();
    const parameters = initialParameters(model.spec, 1);
    const create = (): unknown => createTrainer({ model, seed: 1, ...ADAM, parameters });
    const { name, offset, size } = model.layout.tensors.at(-1)!;
    parameters[offset + size - 1] = NaN;
    expect(create).toThrow(
      new LstmError(
        "invalidParameters",
        `parameters: value ${size - 1} of ${name} is NaN; it must be a finite number`,
      ),
    );
    expect(() =>
      createTrainer({ model, seed: 1, ...ADAM, parameters: parameters.slice(0, 3) }),
    ).toThrow("parameters have 3 values, the model has ");
  });

  it("keeps its parameters when a step is not finite", () => {
    const model = modelOf();
    const trainer = createTrainer({ model, seed: 2, ...ADAM });
    trainer.trainStep({ batch: batchOf(1) });
    const before = bitsOf(trainer.parameters);
    const batch = batchOf(2);
    const targets = (batch.targets as Float32Array).map(() => 3e38);
    expect(() => trainer.trainStep({ batch: { ...batch, targets } })).toThrow(
      expect.objectContaining({ code: "notFinite" }),
    );
    expect(bitsOf(trainer.parameters)).toBe(before);
    model.dispose();
  });

  it.each<[Partial<TrainerSettingsInput>, string]>([
    [
      { learningRate: 0 },
      "trainer.learningRate is 0; it must be a number above 0 and up to 3.4e38",
    ],
    [{ optimizer: { kind: "adm" } }, "optimizer.kind is \"adm\"; it must be 'sgd', 'momentum', "],
    [{ clipping: { kind: "value", maxValue: -1 } }, "trainer.clipping.maxValue is -1; it must be"],
    [{ earlyStopping: {} }, "trainer.earlyStopping.patience is missing; it must be a whole number"],
    [{ schedule: { kind: "step", gamma: 2 } }, "schedule."],
    [{ cliping: {} } as Partial<TrainerSettingsInput>, "trainer.cliping"],
  ])("refuses %o", (settings, message) => {
    const model = modelOf();
    expect(() => createTrainer({ model, seed: 1, ...ADAM, ...settings })).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) as string }),
    );
  });
});

describe("tensors", () => {
  beforeAll(() => selectBackend("wasm"));

  it("become a batch whose rows are spread over the micro-shards, and come back as predictions", () => {
    const model = modelOf({ output: "everyStep" });
    model.setParameters(initialParameters(model.spec, 1));
    const inputs = tensor3d(
      Float32Array.from({ length: 4 * 3 * 2 }, (_, k) => k / 24),
      [4, 3, 2],
    );
    const batch = sequenceBatch({ inputs, targets: zeros([4, 3]) }, 2);
    expect(batch.leaves).toEqual([
      { leaf: 0, firstRow: 0, numRows: 1 },
      { leaf: 1, firstRow: 1, numRows: 2 },
    ]);
    const outputs = predictTensor(model, inputs, tensor1d([4, 2, 1], "int32"));
    expect(outputs.shape).toEqual([4, 3, 1]);
    expect(outputs.dataSync()).toEqual(
      model.predict({ ...batch, lengths: Int32Array.of(4, 2, 1) }),
    );
    // Row 2 has one step.
    expect([...outputs.dataSync()].filter((_, k) => k % 3 === 2).slice(1)).toEqual([0, 0, 0]);
    model.dispose();
  });

  it.each<[Partial<SequenceBatch>, string]>([
    [{ inputs: new Float32Array(72).fill(NaN, 7, 8) }, "inputs of step 0, row 3, value 1 is NaN"],
    [{ inputs: new Int32Array(72) }, "inputs are a Int32Array, expected values in a Float32Array"],
    [{ numSteps: 7 }, "inputs has 72 values, expected 7 steps × 6 rows × 2 values"],
    [
      { lengths: Int32Array.of(1, 2, 3, 4, 5, 7) },
      "lengths[5] is 7, expected a whole number from 1 to 6",
    ],
    [{ lengths: Int32Array.of(1) }, "lengths has 1 values, expected 6 rows"],
    [{ targets: new Float32Array(5) }, "targets has 5 values, expected 1 steps × 6 rows"],
    [{ targets: new Int32Array(6) }, "targets are a Int32Array, expected values in a Float32Array"],
    [{ weights: new Float32Array(5) }, "weights has 5 values, expected 6 rows"],
    [{ targets: new Float32Array(6).fill(NaN, 2, 3) }, "NaN"],
  ])("of %o are refused", (changes, message) => {
    const model = modelOf();
    model.setParameters(initialParameters(model.spec, 1));
    const batch = { ...batchOf(1), ...changes };
    expect(() =>
      model.computeGradients({ batch, seed: 1, step: 1, onGradient: () => undefined }),
    ).toThrow(LstmError);
    expect(() => model.evaluate({ batch })).toThrow(message);
    model.dispose();
  });

  it("without time and rows are refused", () => {
    expect(() => sequenceBatch({ inputs: tensor1d([1]), targets: tensor2d([[1]]) })).toThrow(
      "inputs have shape [1], expected [time, rows, values] or [time, rows]",
    );
  });

  it.each([0, 3, -2, NaN, 0.5])("are not spread over %s micro-shards", (microShards) => {
    expect(() =>
      sequenceBatch({ inputs: zeros([2, 4]), targets: zeros([2, 4]) }, microShards),
    ).toThrow(
      new LstmError(
        "invalidBatch",
        `microShards is ${microShards}, expected a power of two from 1`,
      ),
    );
  });
});
