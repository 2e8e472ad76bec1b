import {
  compileLanguageModelSpec,
  createParameterUpdate,
  learningRateAt,
  parameterLayout,
} from "@ostinato/lstm";
import { describe, expect, it } from "vitest";

import { RunError } from "../errors/index.js";
import { compileConfig } from "./compile-config.js";

const files = "book.txt";

/** The code and message that a raw config is refused with. */
function refusalOf(raw: unknown): string {
  try {
    compileConfig(raw, "x.yaml");
  } catch (error) {
    if (error instanceof RunError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "accepted";
}

/** A config with one group changed. */
const withGroup = (group: string, values: unknown): unknown =>
  group === "data" ? { data: values } : { data: { files }, [group]: values };

const OPTIMIZERS = "sgd momentum averagedSgd adagrad rmsprop adam adamw lamb".split(" ");

describe("compileConfig", () => {
  it("fills in every default", () => {
    expect(compileConfig({ data: { files } }, "x.yaml")).toEqual({
      name: "run",
      seed: 1,
      data: {
        kind: "text",
        files: "book.txt",
        baseDirectory: ".",
        validationFraction: 0.1,
        testFraction: 0.1,
      },
      model: {
        kind: "languageModel",
        cell: "lstm",
        embeddingSize: 64,
        hiddenSize: 128,
        numLayers: 1,
        dropout: 0,
        forgetBias: 1,
        tiedEmbedding: false,
        residual: false,
        normalization: "none",
        peephole: false,
        coupledGates: false,
        layerNorm: false,
        projectionSize: null,
        resetAfter: true,
        activation: "tanh",
        inputDropout: 0,
        outputDropout: 0,
        variationalDropout: false,
        weightDropout: 0,
        zoneoutHidden: 0,
        zoneoutCell: 0,
        activationPenalty: 0,
        temporalActivationPenalty: 0,
        embeddingDropout: 0,
        labelSmoothing: 0,
        initialization: [],
      },
      training: {
        epochs: 1,
        maxSteps: null,
        batchSize: 32,
        sequenceLength: 64,
        microShards: 8,
        onNonFinite: "stop",
        earlyStopping: null,
      },
      optimizer: {
        kind: "adam",
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        amsgrad: false,
        weightDecay: 0,
        groups: [],
        learningRate: 2e-3,
        clipping: { kind: "globalNorm", maxNorm: 1 },
        gradientNoise: null,
        schedule: { kind: "constant", warmupSteps: 0 },
      },
      evaluation: { everySteps: null, batchSize: 32, final: true },
      numerics: {
        ...{ backend: "auto", determinism: "strict" },
        ...{ gradients: "float32", gradientLeaves: null },
      },
      checkpoints: { everySteps: 200, keep: 3 },
      cluster: {
        workers: 2,
        minWorkers: 1,
        sharedMemory: true,
        auditEverySteps: 100,
        deadlineSeconds: 30,
      },
    });
  });

  it("takes its own result for the same config", () => {
    const config = compileConfig({ data: { files: ["a", "b"] }, optimizer: { kind: "sgd" } }, "x");
    expect(compileConfig(JSON.parse(JSON.stringify(config)), "x")).toEqual(config);
  });

  it.each(OPTIMIZERS)(
    "gives model, optimizer (%s) and schedule as the learning library takes them",
    (kind) => {
      const schedule = { kind: "cosine", totalSteps: 10 };
      const groups = [{ match: "*.bias", weightDecay: 0 }];
      const raw = { data: { files }, optimizer: { kind, learningRate: 0.5, schedule, groups } };
      const { model, optimizer, seed } = compileConfig(raw, "x.yaml");
      const spec = compileLanguageModelSpec({ ...model, vocabularySize: 3 });
      expect(spec.hiddenSize).toBe(128);
      const layout = parameterLayout(spec);
      const { clipping, gradientNoise } = optimizer;
      expect(() =>
        createParameterUpdate({ optimizer, clipping, gradientNoise, layout, seed }),
      ).not.toThrow();
      // Without warm-up the first step has the whole learning rate.
      expect(learningRateAt(optimizer.schedule, { step: 0, learningRate: 0.5 })).toBe(0.5);
    },
  );

  it("fills in the defaults of every kind of clipping", () => {
    const clippingOf = (clipping: object) =>
      compileConfig({ data: { files }, optimizer: { clipping } }, "x").optimizer.clipping;
    expect(clippingOf({ maxNorm: 3 })).toEqual({ kind: "globalNorm", maxNorm: 3 });
    expect(clippingOf({ kind: "none" })).toEqual({ kind: "none" });
    expect(clippingOf({ kind: "value" })).toEqual({ kind: "value", maxValue: 1 });
    expect(clippingOf({ kind: "layer" })).toEqual({ kind: "layer", maxNorm: 1 });
    const adaptive = { kind: "adaptive", maxRatio: 0.01, epsilon: 1e-3 };
    expect(clippingOf({ kind: "adaptive" })).toEqual(adaptive);
  });

  it("resolves the base directory from the given folder", () => {
    const { data } = compileConfig({ data: { files, baseDirectory: "../texts" } }, "x.yaml", {
      directory: "/home/me/configs",
    });
    expect(data.baseDirectory).toBe("/home/me/texts");
  });

  it("freezes the result throughout", () => {
    const raw = {
      data: { files: ["a.txt"] },
      optimizer: { kind: "momentum", schedule: { kind: "cosine", totalSteps: 9 } },
    };
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(compileConfig(raw, "x.yaml"))).toBe(true);
    expect(frozen(compileConfig(raw, "x.yaml", { directory: "/" }))).toBe(true);
  });

  it("does not freeze or change what it was given", () => {
    const raw = { data: { files: ["a.txt"] }, training: { epochs: 2 } };
    compileConfig(raw, "x.yaml");
    expect(Object.isFrozen(raw.data.files)).toBe(false);
    expect(raw).toEqual({ data: { files: ["a.txt"] }, training: { epochs: 2 } });
  });

  it.each([1, 2, 4, 64, 1024])("accepts %i micro-shards of as many rows", (microShards) => {
    const rows = { batchSize: microShards };
    const raw = { data: { files }, training: { ...rows, microShards }, evaluation: rows };
    expect(compileConfig(raw, "x").training.microShards).toBe(microShards);
  });
});

const uint32 = "a whole number from 1 to 4294967295";
const size = "a whole number from 1 to 65536";
const fraction = "a number from 0 to below 1";
const KINDS = "'sgd', 'momentum', 'averagedSgd', 'adagrad', 'rmsprop', 'adam', 'adamw' or 'lamb'";
const POWER = "a power of two between 1 and 1024";

/** One rule each: group, its values, and how they are refused. */
const refusals: readonly [group: string, values: unknown, refusal: string][] = [
  [
    "name",
    "a/b",
    `outOfRange x.yaml: name: "a/b" is not 1 to 64 of the characters a-z, A-Z, 0-9, '-' and '_'`,
  ],
  [
    "name",
    7,
    `wrongType x.yaml: name: 7 is not 1 to 64 of the characters a-z, A-Z, 0-9, '-' and '_'`,
  ],
  ["seed", -1, "outOfRange x.yaml: seed: -1 is not a whole number from 0 to 4294967295"],
  [
    "seed",
    2 ** 32,
    "outOfRange x.yaml: seed: 4294967296 is not a whole number from 0 to 4294967295",
  ],
  ["seed", "1", 'wrongType x.yaml: seed: "1" is not a whole number from 0 to 4294967295'],
  ["data", {}, "missingKey x.yaml: data.files: missing; give a path or pattern, or a list of them"],
  [
    "data",
    { files: 3 },
    "wrongType x.yaml: data.files: 3 is not a path or pattern, or a list of them",
  ],
  [
    "data",
    { files: "" },
    'outOfRange x.yaml: data.files: "" is not a path or pattern, or a list of them',
  ],
  [
    "data",
    { files: [] },
    "outOfRange x.yaml: data.files: [] is not a path or pattern, or a list of them",
  ],
  [
    "data",
    { files, kind: "audio" },
    `outOfRange x.yaml: data.kind: "audio" is not 'text', 'sequences' or 'pairs'`,
  ],
  [
    "data",
    { files, baseDirectory: "" },
    'outOfRange x.yaml: data.baseDirectory: "" is not the path of a folder',
  ],
  [
    "data",
    { files, validationFraction: 1 },
    `outOfRange x.yaml: data.validationFraction: 1 is not a number above 0 and below 1`,
  ],
  [
    "data",
    { files, testFraction: -0.1 },
    `outOfRange x.yaml: data.testFraction: -0.1 is not a number above 0 and below 1`,
  ],
  [
    "data",
    { files, validationFraction: 0.6, testFraction: 0.4 },
    "outOfRange x.yaml: data.testFraction: 0.4 and data.validationFraction 0.6 do not add up to less than 1",
  ],
  [
    "model",
    { kind: "forecaster" },
    `outOfRange x.yaml: model.kind: "forecaster" is not 'languageModel', 'sequenceModel' or 'encoderDecoder'`,
  ],
  [
    "model",
    { peephole: true, cell: "gru" },
    "outOfRange x.yaml: model.peephole: true is not possible: it fits cell 'lstm' only, not 'gru'",
  ],
  ["model", { cell: "GRU" }, `outOfRange x.yaml: model.cell: "GRU" is not 'lstm', 'gru' or 'rnn'`],
  ["model", { embeddingSize: 0 }, `outOfRange x.yaml: model.embeddingSize: 0 is not ${size}`],
  ["model", { hiddenSize: "128" }, `wrongType x.yaml: model.hiddenSize: "128" is not ${size}`],
  ["model", { hiddenSize: 70_000 }, `outOfRange x.yaml: model.hiddenSize: 70000 is not ${size}`],
  [
    "model",
    { numLayers: 65 },
    "outOfRange x.yaml: model.numLayers: 65 is not a whole number from 1 to 64",
  ],
  ["model", { dropout: 1 }, `outOfRange x.yaml: model.dropout: 1 is not ${fraction}`],
  [
    "model",
    { forgetBias: true },
    "wrongType x.yaml: model.forgetBias: true is not a number from -3.4e38 to 3.4e38",
  ],
  [
    "model",
    { forgetBias: Infinity },
    "outOfRange x.yaml: model.forgetBias: Infinity is not a number from -3.4e38 to 3.4e38",
  ],
  ["training", { epochs: 0 }, `outOfRange x.yaml: training.epochs: 0 is not ${uint32}`],
  ["training", { epochs: 1.5 }, `outOfRange x.yaml: training.epochs: 1.5 is not ${uint32}`],
  [
    "training",
    { maxSteps: 0 },
    `outOfRange x.yaml: training.maxSteps: 0 is not ${uint32}, or null`,
  ],
  ["training", { batchSize: 0 }, `outOfRange x.yaml: training.batchSize: 0 is not ${size}`],
  [
    "training",
    { sequenceLength: 0 },
    `outOfRange x.yaml: training.sequenceLength: 0 is not ${size} (null for data.kind: sequences or pairs)`,
  ],
  ["training", { microShards: 6 }, `outOfRange x.yaml: training.microShards: 6 is not ${POWER}`],
  [
    "training",
    { microShards: 2048 },
    `outOfRange x.yaml: training.microShards: 2048 is not ${POWER}`,
  ],
  [
    "training",
    { microShards: null },
    `wrongType x.yaml: training.microShards: null is not ${POWER}`,
  ],
  [
    "training",
    { onNonFinite: "retry" },
    `outOfRange x.yaml: training.onNonFinite: "retry" is not 'stop' or 'skipStep'`,
  ],
  ["optimizer", { kind: "lion" }, `outOfRange x.yaml: optimizer.kind: "lion" is not ${KINDS}`],
  ["optimizer", { kind: 1 }, `wrongType x.yaml: optimizer.kind: 1 is not ${KINDS}`],
  [
    "optimizer",
    { learningRate: 0 },
    "outOfRange x.yaml: optimizer.learningRate: 0 is not a number above 0 and up to 3.4e38",
  ],
  [
    "optimizer",
    { clipNorm: 1 },
    "unknownKey x.yaml: optimizer.clipNorm: unknown key; known here: kind, beta1, beta2, epsilon, " +
      "amsgrad, weightDecay, groups, learningRate, clipping, gradientNoise, schedule",
  ],
  [
    "optimizer",
    { clipping: { maxNorm: 0 } },
    "outOfRange x.yaml: optimizer.clipping.maxNorm: 0 is not a number above 0 and up to 3.4e38",
  ],
  [
    "optimizer",
    { clipping: { kind: "agc" } },
    "outOfRange x.yaml: optimizer.clipping.kind: \"agc\" is not 'none', 'globalNorm', 'value', 'layer' or 'adaptive'",
  ],
  [
    "optimizer",
    { clipping: { kind: "value", maxNorm: 1 } },
    "unknownKey x.yaml: optimizer.clipping.maxNorm: needs optimizer.clipping.kind: globalNorm or layer",
  ],
  [
    "optimizer",
    { clipping: null },
    "wrongType x.yaml: optimizer.clipping: null is not a group of keys (kind, maxNorm)",
  ],
  [
    "optimizer",
    { gradientNoise: { scale: 0 } },
    "outOfRange x.yaml: optimizer.gradientNoise.scale: 0 is not a number above 0 and up to 3.4e38",
  ],
  [
    "optimizer",
    { gradientNoise: 0.3 },
    "wrongType x.yaml: optimizer.gradientNoise: 0.3 is not a group of keys (scale, decay), or null",
  ],
  [
    "optimizer",
    { weightDecay: -0.1 },
    "outOfRange x.yaml: optimizer.weightDecay: -0.1 is not a number from 0 to 3.4e38",
  ],
  [
    "optimizer",
    { groups: {} },
    "wrongType x.yaml: optimizer.groups: {} is not a list of groups of tensors (match, learningRateScale, weightDecay)",
  ],
  [
    "optimizer",
    { groups: [{ match: "a" }, { match: "b", weightDecay: -1 }] },
    "outOfRange x.yaml: optimizer.groups[1].weightDecay: -1 is not a number from 0 to 3.4e38, or null for the optimizer's own",
  ],
  [
    "optimizer",
    { groups: [{ learningRateScale: 2 }] },
    "missingKey x.yaml: optimizer.groups[0].match: missing; give a pattern of tensor names, such as '*.bias'",
  ],
  [
    "optimizer",
    { groups: [{ match: "a", weightdecay: 2 }] },
    "unknownKey x.yaml: optimizer.groups[0].weightdecay: unknown key; did you mean optimizer.groups[0].weightDecay?",
  ],
  [
    "optimizer",
    { groups: ["*.bias"] },
    'wrongType x.yaml: optimizer.groups[0]: "*.bias" is not a group of keys (match, learningRateScale, weightDecay)',
  ],
  ["optimizer", { beta1: 1 }, `outOfRange x.yaml: optimizer.beta1: 1 is not ${fraction}`],
  ["optimizer", { beta2: -1 }, `outOfRange x.yaml: optimizer.beta2: -1 is not ${fraction}`],
  [
    "optimizer",
    { epsilon: 0 },
    "outOfRange x.yaml: optimizer.epsilon: 0 is not a number above 0 and up to 3.4e38",
  ],
  [
    "optimizer",
    { kind: "rmsprop", decay: 1 },
    `outOfRange x.yaml: optimizer.decay: 1 is not ${fraction}`,
  ],
  [
    "optimizer",
    { kind: "momentum", momentum: 1 },
    `outOfRange x.yaml: optimizer.momentum: 1 is not ${fraction}`,
  ],
  [
    "optimizer",
    { kind: "momentum", nesterov: "yes" },
    'wrongType x.yaml: optimizer.nesterov: "yes" is not true or false',
  ],
  [
    "optimizer",
    { kind: "momentum", momentum: 0, nesterov: true },
    "outOfRange x.yaml: optimizer.nesterov: true is not possible: it needs a momentum above 0 and a dampening of 0",
  ],
  [
    "optimizer",
    { kind: "momentum", momentum: 0, dampening: 0.5 },
    "outOfRange x.yaml: optimizer.dampening: 0.5 is not possible: it needs a momentum above 0",
  ],
  [
    "optimizer",
    { schedule: { kind: "linear" } },
    `outOfRange x.yaml: optimizer.schedule.kind: "linear" is not 'constant', 'step', 'multiStep', ` +
      "'exponential', 'polynomial', 'cosine', 'cosineRestarts', 'oneCycle', 'inverseSqrt', " +
      "'decayFromEpoch' or 'plateau'",
  ],
  [
    "optimizer",
    { schedule: { kind: "cosine" } },
    `missingKey x.yaml: optimizer.schedule.totalSteps: missing; give ${uint32}`,
  ],
  [
    "optimizer",
    { schedule: { kind: "cosine", totalSteps: 9, finalFraction: 2 } },
    "outOfRange x.yaml: optimizer.schedule.finalFraction: 2 is not a number from 0 to 1",
  ],
  [
    "optimizer",
    { schedule: { kind: "cosine", totalSteps: 9, warmupSteps: 9 } },
    "outOfRange x.yaml: optimizer.schedule.warmupSteps: 9 is not below optimizer.schedule.totalSteps (9)",
  ],
  [
    "optimizer",
    { schedule: { kind: "multiStep", milestones: [9, 8] } },
    "outOfRange x.yaml: optimizer.schedule.milestones: [9,8] is not one or more ascending numbers, " +
      `each ${uint32}`,
  ],
  [
    "optimizer",
    { schedule: { kind: "plateau" } },
    "outOfRange x.yaml: evaluation.everySteps: null leaves optimizer.schedule.kind: plateau " +
      "nothing to decide by; give the steps between two evaluations",
  ],
  [
    "optimizer",
    { kind: "averagedSgd", nonmonotonicInterval: 5 },
    "outOfRange x.yaml: evaluation.everySteps: null leaves optimizer.nonmonotonicInterval nothing to " +
      "decide by; give the steps between two evaluations",
  ],
  [
    "optimizer",
    { kind: "averagedSgd", nonmonotonicInterval: 1001 },
    "outOfRange x.yaml: optimizer.nonmonotonicInterval: 1001 is not a whole number from 0 to 1000, or null",
  ],
  [
    "optimizer",
    { nonmonotonicInterval: 5 },
    "unknownKey x.yaml: optimizer.nonmonotonicInterval: needs optimizer.kind: averagedSgd",
  ],
  [
    "training",
    { earlyStopping: { patience: 3 } },
    "outOfRange x.yaml: evaluation.everySteps: null leaves training.earlyStopping nothing to decide " +
      "by; give the steps between two evaluations",
  ],
  [
    "training",
    { earlyStopping: {} },
    `missingKey x.yaml: training.earlyStopping.patience: missing; give ${uint32}`,
  ],
  [
    "training",
    { earlyStopping: { patience: 0 } },
    `outOfRange x.yaml: training.earlyStopping.patience: 0 is not ${uint32}`,
  ],
  [
    "training",
    { earlyStopping: 3 },
    "wrongType x.yaml: training.earlyStopping: 3 is not a group of keys (patience, minDelta), or null",
  ],
  [
    "training",
    { earlyStopping: { patience: 3, minDelt: 1 } },
    "unknownKey x.yaml: training.earlyStopping.minDelt: unknown key; did you mean " +
      "training.earlyStopping.minDelta?",
  ],
  [
    "evaluation",
    { everySteps: 0 },
    `outOfRange x.yaml: evaluation.everySteps: 0 is not ${uint32}, or null`,
  ],
  ["evaluation", { batchSize: 0 }, `outOfRange x.yaml: evaluation.batchSize: 0 is not ${size}`],
  ["evaluation", { final: 1 }, "wrongType x.yaml: evaluation.final: 1 is not true or false"],
  [
    "numerics",
    { backend: "cuda" },
    `outOfRange x.yaml: numerics.backend: "cuda" is not 'auto', 'native', 'wasm', 'cpu' or 'native-bfloat16'`,
  ],
  [
    "numerics",
    { determinism: "none" },
    `outOfRange x.yaml: numerics.determinism: "none" is not 'strict' or 'relaxed'`,
  ],
  [
    "numerics",
    { gradients: "float16" },
    `outOfRange x.yaml: numerics.gradients: "float16" is not 'float32' or 'bfloat16'`,
  ],
  [
    "numerics",
    { gradients: "bfloat16", gradientLeaves: 3 },
    `outOfRange x.yaml: numerics.gradientLeaves: 3 is not ${POWER}, or null`,
  ],
  [
    "numerics",
    { gradients: "bfloat16", gradientLeaves: 16 },
    "outOfRange x.yaml: numerics.gradientLeaves: 16 is above training.microShards (8)",
  ],
  [
    "numerics",
    { gradientLeaves: 1 },
    "outOfRange x.yaml: numerics.gradientLeaves: 1 needs numerics.gradients: bfloat16; float32 is " +
      "not rounded",
  ],
  [
    "checkpoints",
    { everySteps: 0 },
    `outOfRange x.yaml: checkpoints.everySteps: 0 is not ${uint32}`,
  ],
  [
    "checkpoints",
    { keep: 0 },
    "outOfRange x.yaml: checkpoints.keep: 0 is not a whole number from 1 to 1000",
  ],
  [
    "cluster",
    { workers: 0 },
    "outOfRange x.yaml: cluster.workers: 0 is not a whole number from 1 to 256",
  ],
  [
    "cluster",
    { deadlineSeconds: 0.1 },
    "outOfRange x.yaml: cluster.deadlineSeconds: 0.1 is not a number from 0.5 to 86400",
  ],
  [
    "training",
    5,
    "wrongType x.yaml: training: 5 is not a group of keys (epochs, maxSteps, batchSize, sequenceLength, microShards, onNonFinite, earlyStopping)",
  ],
  [
    "training",
    null,
    "wrongType x.yaml: training: null is not a group of keys (epochs, maxSteps, batchSize, sequenceLength, microShards, onNonFinite, earlyStopping)",
  ],
  [
    "training",
    { microShard: 8 },
    "unknownKey x.yaml: training.microShard: unknown key; did you mean training.microShards?",
  ],
  [
    "training",
    { hiddenSize: 8 },
    "unknownKey x.yaml: training.hiddenSize: unknown key; did you mean model.hiddenSize?",
  ],
  [
    "checkpoints",
    { folder: "x" },
    "unknownKey x.yaml: checkpoints.folder: unknown key; known here: everySteps, keep",
  ],
  ["trainning", {}, "unknownKey x.yaml: trainning: unknown key; did you mean training?"],
  [
    "optimizer",
    { kind: "sgd", beta1: 0.5 },
    "unknownKey x.yaml: optimizer.beta1: needs optimizer.kind: adam or adamw or lamb",
  ],
  [
    "optimizer",
    { schedule: { totalSteps: 5 } },
    "unknownKey x.yaml: optimizer.schedule.totalSteps: needs optimizer.schedule.kind: " +
      "polynomial or cosine or oneCycle",
  ],
  [
    "optimizer",
    { momentum: 0.5 },
    "unknownKey x.yaml: optimizer.momentum: needs optimizer.kind: momentum or rmsprop",
  ],
  [
    "optimizer",
    { learningRate: 1e300 },
    "outOfRange x.yaml: optimizer.learningRate: 1e+300 is not a number above 0 and up to 3.4e38",
  ],
  [
    "data",
    { files: "book.txt", testFraction: 0 },
    "outOfRange x.yaml: data.testFraction: 0 is not a number above 0 and below 1",
  ],
  [
    "data",
    { fils: "book.txt" },
    "unknownKey x.yaml: data.fils: unknown key; did you mean data.files?",
  ],
];

describe("compileConfig refuses", () => {
  it.each(refusals)("%s: %j", (group, values, refusal) => {
    expect(refusalOf(withGroup(group, values))).toBe(refusal);
  });

  it.each(["training", "evaluation"])("more micro-shards than %s has rows", (group) => {
    const raw = { data: { files }, [group]: { batchSize: 4 } };
    expect(refusalOf(raw)).toBe(
      `outOfRange x.yaml: training.microShards: 8 is above ${group}.batchSize (4); ` +
        "every micro-shard needs a row",
    );
  });

  it.each([null, 3, "text", [[]]])("a config that is no mapping: %j", (raw) => {
    expect(refusalOf(raw)).toBe(
      `wrongType x.yaml: config: ${JSON.stringify(raw)} is not a group of keys (name, seed, data, ` +
        "model, training, optimizer, evaluation, numerics, checkpoints, cluster)",
    );
  });

  it("keys that every JavaScript object seems to have", () => {
    const raw: unknown = JSON.parse(`{"data":{"files":"a"},"__proto__":{"seed":1}}`);
    expect(refusalOf(raw)).toMatch(/^unknownKey x.yaml: __proto__: unknown key/);
    expect(refusalOf({ data: { files }, constructor: 1 })).toMatch(/^unknownKey .* constructor/);
  });

  it("long values in a line of bounded length", () => {
    expect(refusalOf({ data: { files }, name: "x".repeat(9999) }).length).toBeLessThan(200);
  });
});

describe("a config of sequences", () => {
  const sequences = { files: "a.jsonl", kind: "sequences" };
  const sequenceModel = { kind: "sequenceModel" };
  const refused = (raw: object): string =>
    refusalOf({ data: sequences, model: sequenceModel, ...raw });

  it("has defaults of its own, and stays the same when its defaults are written down", () => {
    const config = compileConfig({ data: sequences, model: sequenceModel }, "x.yaml");
    expect(config.data).toMatchObject({ vocabularySize: null, numClasses: null });
    expect(config.training.sequenceLength).toBeNull();
    expect(config.model).toMatchObject({
      ...{ output: "everyStep", bidirectional: false, embeddingSize: null },
      loss: { kind: "meanSquared" },
    });
    expect(compileConfig(config, "x.yaml")).toEqual(config);
  });

  it.each([
    [{ model: {} }, 'model.kind: "languageModel" does not fit data.kind: sequences, which needs'],
    [{ data: { files } }, 'model.kind: "sequenceModel" does not fit data.kind: text, which needs'],
    [
      { training: { sequenceLength: 8 } },
      "training.sequenceLength: 8 does not fit data.kind: sequences, which has sequences that stay whole",
    ],
    [
      { data: { ...sequences, numClasses: 3 } },
      "data.numClasses: 3 needs model.loss.kind: crossEntropy or ctc",
    ],
    [
      { data: { ...sequences, vocabularySize: 0 } },
      "data.vocabularySize: 0 is not a whole number from 1 to 2147483647, or null",
    ],
    [
      { model: { ...sequenceModel, loss: { kind: "ctc" }, output: "lastStep" } },
      "model.output: \"lastStep\" is not possible: it must be 'everyStep' for the loss 'ctc'",
    ],
    [
      { model: { ...sequenceModel, loss: { kind: "huber", delta: 0 } } },
      "model.loss.delta: 0 is not a number above 0",
    ],
    [
      { model: { ...sequenceModel, tiedEmbedding: true } },
      "model.tiedEmbedding: needs model.kind: languageModel",
    ],
  ])("is refused where keys do not fit: %j", (raw, words) => {
    expect(refused(raw)).toContain(`x.yaml: ${words}`);
  });

  it("has keys that a text has not", () => {
    expect(refusalOf({ data: { files, numClasses: 2 } })).toBe(
      "unknownKey x.yaml: data.numClasses: needs data.kind: sequences",
    );
    expect(refusalOf({ data: { files }, training: { sequenceLength: null } })).toContain(
      "training.sequenceLength: null does not fit data.kind: text, which needs a whole number",
    );
  });
});

describe("a config of pairs", () => {
  const data = { files: "a.jsonl", kind: "pairs" };
  const model = { kind: "encoderDecoder" };

  it("has the keys of an encoder–decoder, and pairs that stay whole", () => {
    const config = compileConfig({ data, model }, "x.yaml");
    expect(config.model).toMatchObject({
      attention: "additive",
      embeddingSize: 64,
      hiddenSize: 128,
    });
    expect(config.training.sequenceLength).toBeNull();
  });

  it.each([
    [
      { model: {} },
      'model.kind: "languageModel" does not fit data.kind: pairs, which needs model.kind: encoderDecoder',
    ],
    [
      { data: { ...data, kind: "sequences" } },
      'model.kind: "encoderDecoder" does not fit data.kind: sequences, which needs model.kind: sequenceModel',
    ],
    [
      { training: { sequenceLength: 8 } },
      "training.sequenceLength: 8 does not fit data.kind: pairs, which has sequences that stay whole; leave it out",
    ],
    [{ data: { ...data, numClasses: 3 } }, "data.numClasses: needs data.kind: sequences"],
    [
      { model: { ...model, bidirectionalEncoder: true, hiddenSize: 5 } },
      "model.hiddenSize: 5 is not possible: it must be even for a bidirectionalEncoder",
    ],
    [
      { model: { ...model, tiedEmbedding: true } },
      "model.tiedEmbedding: true is not possible: it needs an embeddingSize (64) equal to hiddenSize (128)",
    ],
    [
      { model: { ...model, attention: "scaledDot" } },
      `model.attention: "scaledDot" is not 'none', 'additive' or 'multiplicative'`,
    ],
    [
      { model: { ...model, loss: { kind: "huber" } } },
      "model.loss: needs model.kind: sequenceModel",
    ],
    [{ model: { ...model, startId: 1 } }, "model.startId: unknown key"],
  ])("is refused for %j", (raw, words) => {
    expect(refusalOf({ data, model, ...raw })).toContain(words);
  });
});
