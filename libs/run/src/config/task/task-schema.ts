/** The task config: a synthetic task instead of a text, for looking at gradients. */

import { key, lossSchema, SEQUENCE_STACK_KEYS, wholeNumber } from "@ostinato/lstm";
import { z } from "zod";

import { operational, trajectory, trajectoryGroup } from "../keys.js";
import { numerics } from "../numerics-schema.js";
import { batchSize, count, inWords, microShards, name, optimizer, seed } from "../schema.js";

/** The tasks of the literature that a model's memory is told by. */
export const TASK_KINDS = ["addingProblem", "copyTask"] as const;

const KIND = TASK_KINDS.map((kind) => `'${kind}'`).join(" or ");
const MAX_STEPS = 65_536;

const data = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: trajectory(KIND, z.literal("addingProblem")),
      /** T: time steps of a sequence. */
      length: trajectory(inWords(MAX_STEPS, 2), wholeNumber(2, MAX_STEPS).default(100)),
    })
    .readonly(),
  z
    .strictObject({
      kind: trajectory(KIND, z.literal("copyTask")),
      /** Symbols to remember. */
      numSymbols: trajectory(inWords(1024), count(1024).default(10)),
      /** Steps between the symbols and the sign to repeat them. */
      delay: trajectory(inWords(MAX_STEPS), count(MAX_STEPS).default(100)),
      /** Symbols to draw from. */
      alphabetSize: trajectory(inWords(1024), count(1024).default(8)),
    })
    .readonly(),
]);

// What the model reads and what it is to give follow from the task.
const model = trajectoryGroup(
  z
    .strictObject({
      ...SEQUENCE_STACK_KEYS,
      kind: key("'sequenceModel'", z.literal("sequenceModel").default("sequenceModel")),
      /** Null: the task's own, the squared error of the adding problem, cross-entropy of the copy task. */
      loss: key("a group of keys (kind, …), or null", lossSchema.nullable().default(null)),
    })
    .readonly(),
);

const training = z
  .strictObject({
    /** Sequences in a step. */
    batchSize,
    microShards: microShards(1),
  })
  .readonly();

const diagnose = z
  .strictObject({
    /** Updates after which the model is measured again; 0 for none. */
    steps: operational(inWords(1_000_000, 0), wholeNumber(0, 1_000_000).default(0)),
  })
  .readonly();

export const taskConfigSchema = z
  .strictObject({
    name,
    seed,
    data,
    model: model.prefault({}),
    training: training.prefault({}),
    optimizer: optimizer.prefault({}),
    diagnose: diagnose.prefault({}),
    numerics: numerics.prefault({}),
  })
  .readonly();

/** A checked task config with every default filled in; frozen throughout. */
export type TaskConfig = z.output<typeof taskConfigSchema>;
