/**
 * The run config: every key with its type, range, default and role, and the rules between keys.
 * A default is written here and nowhere else.
 */

import {
  earlyStoppingSchema,
  ENCODER_DECODER_KEYS,
  key,
  LANGUAGE_MODEL_KEYS,
  LEARNING_RATE_KEYS,
  OPTIMIZER_KEYS,
  scheduleSchema,
  SEQUENCE_MODEL_KEYS,
  UPDATE_KEYS,
  wholeNumber,
  wholeNumbers,
  withDefaultKind,
} from "@ostinato/lstm";
import { z } from "zod";

import { operational, trajectory, trajectoryGroup } from "./keys.js";
import { leafCount, LEAF_COUNTS } from "./leaf-count.js";
import { runNumerics } from "./numerics-schema.js";

const MAX_UINT32 = 2 ** 32 - 1;

export const count = (max = MAX_UINT32): z.ZodInt => wholeNumber(1, max);

/** Of a part of the data, which cannot be empty. */
const share = (): z.ZodNumber => z.number().positive().lt(1);

const SHARE = "a number above 0 and below 1";
export const inWords = (max: number, min = 1): string => wholeNumbers(min, max);

const DATA_KIND = "'text', 'sequences' or 'pairs'";

const DATA_KEYS = {
  /** Paths, globs, or `npm:package/path` patterns, read in natural order. */
  files: trajectory(
    "a path or pattern, or a list of them",
    z.union([z.string().min(1), z.array(z.string().min(1)).min(1).readonly()]),
  ),
  /** What relative paths and packages in `files` start from; itself relative to the config file. */
  baseDirectory: operational("the path of a folder", z.string().min(1).default(".")),
  /** Share of the text, the sequences or the pairs, before the test part, that choices are made by. */
  validationFraction: trajectory(SHARE, share().default(0.1)),
  /** Share at the end that is touched once, when training is over. */
  testFraction: trajectory(SHARE, share().default(0.1)),
} as const;

const MAX_IDS = 2 ** 31 - 1;
const idsOrNull = (): z.ZodDefault<z.ZodNullable<z.ZodInt>> =>
  count(MAX_IDS).nullable().default(null);

const data = withDefaultKind(
  "text",
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: trajectory(DATA_KIND, z.literal("text")), ...DATA_KEYS }).readonly(),
    z
      .strictObject({
        kind: trajectory(DATA_KIND, z.literal("sequences")),
        ...DATA_KEYS,
        /** Token ids are below this; null: one more than the largest in the files. */
        vocabularySize: trajectory(`${inWords(MAX_IDS)}, or null`, idsOrNull()),
        /** Classes and labels are below this; null: one more than the largest in the files. */
        numClasses: trajectory(`${inWords(MAX_IDS)}, or null`, idsOrNull()),
      })
      .readonly(),
    z.strictObject({ kind: trajectory(DATA_KIND, z.literal("pairs")), ...DATA_KEYS }).readonly(),
  ]),
);

const MAX_SIZE = 65_536;
const MODEL_KIND = "'languageModel', 'sequenceModel' or 'encoderDecoder'";
// The library's keys; vocabulary, input sizes and targets come from the data.
const model = trajectoryGroup(
  withDefaultKind(
    "languageModel",
    z.discriminatedUnion("kind", [
      z
        .strictObject({
          ...LANGUAGE_MODEL_KEYS,
          kind: key(MODEL_KIND, z.literal("languageModel")),
        })
        .readonly(),
      z
        .strictObject({
          ...SEQUENCE_MODEL_KEYS,
          kind: key(MODEL_KIND, z.literal("sequenceModel")),
        })
        .readonly(),
      z
        .strictObject({
          ...ENCODER_DECODER_KEYS,
          kind: key(MODEL_KIND, z.literal("encoderDecoder")),
        })
        .readonly(),
    ]),
  ),
);

/** Rows side by side in a step, over all workers. */
export const batchSize = trajectory(inWords(MAX_SIZE), count(MAX_SIZE).default(32));

/** Slices of a step that can be computed apart: leaves of the gradient tree. */
export const microShards = (byDefault: number): z.ZodDefault<z.ZodInt> =>
  trajectory(LEAF_COUNTS, leafCount().default(byDefault));

const training = z
  .strictObject({
    epochs: trajectory(inWords(MAX_UINT32), count().default(1)),
    /** Ends training before its epochs do. */
    maxSteps: trajectory(`${inWords(MAX_UINT32)}, or null`, count().nullable().default(null)),
    batchSize,
    /** Time steps that a gradient reaches back in a text; null for sequences and pairs, which stay whole. */
    sequenceLength: trajectory(
      `${inWords(MAX_SIZE)} (null for data.kind: sequences or pairs)`,
      count(MAX_SIZE).nullable().default(64),
    ),
    /** Slices of a step that can be computed apart: leaves of the gradient tree. */
    microShards: microShards(8),
    /** What follows when a gradient is not finite and is so again when repeated. */
    onNonFinite: trajectory("'stop' or 'skipStep'", z.enum(["stop", "skipStep"]).default("stop")),
    /** When training ends before its epochs do, by the losses of the validation part. */
    earlyStopping: trajectoryGroup(earlyStoppingSchema),
  })
  .readonly();

const schedule = trajectoryGroup(scheduleSchema).prefault({});

/** An optimizer of the library's, and what every update has besides. */
const withUpdateKeys = <K extends z.ZodRawShape, R extends z.ZodType>(keys: K, learningRate: R) =>
  z.strictObject({ ...keys, learningRate, ...UPDATE_KEYS, schedule }).readonly();

export const optimizer = trajectoryGroup(
  withDefaultKind(
    "adam",
    z.discriminatedUnion("kind", [
      withUpdateKeys(OPTIMIZER_KEYS.sgd, LEARNING_RATE_KEYS.sgd),
      withUpdateKeys(OPTIMIZER_KEYS.momentum, LEARNING_RATE_KEYS.momentum),
      withUpdateKeys(OPTIMIZER_KEYS.averagedSgd, LEARNING_RATE_KEYS.averagedSgd),
      withUpdateKeys(OPTIMIZER_KEYS.adagrad, LEARNING_RATE_KEYS.adagrad),
      withUpdateKeys(OPTIMIZER_KEYS.rmsprop, LEARNING_RATE_KEYS.rmsprop),
      withUpdateKeys(OPTIMIZER_KEYS.adam, LEARNING_RATE_KEYS.adam),
      withUpdateKeys(OPTIMIZER_KEYS.adamw, LEARNING_RATE_KEYS.adamw),
      withUpdateKeys(OPTIMIZER_KEYS.lamb, LEARNING_RATE_KEYS.lamb),
    ]),
  ),
);

const evaluation = z
  .strictObject({
    /** Steps between two evaluations of the validation part; null: at the end only. */
    everySteps: trajectory(`${inWords(MAX_UINT32)}, or null`, count().nullable().default(null)),
    /** Rows that the evaluated part is laid out in. */
    batchSize: trajectory(inWords(MAX_SIZE), count(MAX_SIZE).default(32)),
    /** Whether the test part is evaluated when training is over. */
    final: trajectory("true or false", z.boolean().default(true)),
  })
  .readonly();

const checkpoints = z
  .strictObject({
    everySteps: operational(inWords(MAX_UINT32), count().default(200)),
    /** How many of the newest stay; the best one stays besides. */
    keep: operational(inWords(1000), count(1000).default(3)),
  })
  .readonly();

const cluster = z
  .strictObject({
    /** Worker processes that `ostinato train` starts. */
    workers: operational(inWords(256), count(256).default(2)),
    /** With fewer workers no step begins; one that has begun is finished. */
    minWorkers: operational(inWords(256), count(256).default(1)),
    /** Whether coordinator and workers of one machine pass parameters and gradients in shared memory. */
    sharedMemory: operational("true or false", z.boolean().default(true)),
    /** In one of so many steps a second worker computes a node too, to compare; null: never. */
    auditEverySteps: operational(
      `${inWords(MAX_UINT32)}, or null`,
      count().nullable().default(100),
    ),
    /** What every time-out derives from. */
    deadlineSeconds: operational(
      "a number from 0.5 to 86400",
      z.number().min(0.5).max(86_400).default(30),
    ),
  })
  .readonly();

/** Names run directories, and the run to people. */
export const name = operational(
  "1 to 64 of the characters a-z, A-Z, 0-9, '-' and '_'",
  z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .default("run"),
);

export const seed = trajectory(inWords(MAX_UINT32, 0), wholeNumber(0, MAX_UINT32).default(1));

const runConfig = z
  .strictObject({
    name,
    seed,
    data: data.prefault({}),
    model: model.prefault({}),
    training: training.prefault({}),
    optimizer: optimizer.prefault({}),
    evaluation: evaluation.prefault({}),
    numerics: runNumerics.prefault({}),
    checkpoints: checkpoints.prefault({}),
    cluster: cluster.prefault({}),
  })
  .readonly();

const WHOLE: readonly unknown[] = ["sequences", "pairs"];

/** The default of `training.sequenceLength` depends on the data: sequences and pairs have lengths of their own. */
export const runConfigSchema = z.preprocess((raw) => {
  if (!isGroup(raw) || !isGroup(raw["data"])) return raw;
  if (!WHOLE.includes(raw["data"]["kind"])) return raw;
  const { training = {} } = raw;
  if (!isGroup(training) || Object.hasOwn(training, "sequenceLength")) return raw;
  return { ...raw, training: { ...training, sequenceLength: null } };
}, runConfig);

function isGroup(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

/** A checked run config with every default filled in; frozen throughout. */
export type RunConfig = z.output<typeof runConfigSchema>;
