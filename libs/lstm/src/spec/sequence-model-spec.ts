import { z } from "zod";

import { FLAG, key, names, withDefaultKind } from "../keys/index.js";
import { brokenLossRule, lossSchema } from "../losses/index.js";
import { vocabulary, VOCABULARY } from "./language-model-spec.js";
import {
  brokenRecurrentRules,
  RECURRENT_KEYS,
  REGULARIZATION_KEYS,
  size,
  SIZE,
} from "./recurrent-keys.js";
import type { BrokenRule } from "./recurrent-keys.js";

const INPUTS = names(["values", "tokens"]);
const OUTPUTS = ["everyStep", "lastStep"] as const;

const input = z.discriminatedUnion("kind", [
  z
    .strictObject({
      kind: key(INPUTS, z.literal("values")),
      /** I: values of each time step. */
      size: key(SIZE, size()),
    })
    .readonly(),
  z
    .strictObject({
      kind: key(INPUTS, z.literal("tokens")),
      /** V; token ids are 0 to V − 1. */
      vocabularySize: key(VOCABULARY, vocabulary()),
      /** E */
      embeddingSize: key(SIZE, size().default(64)),
    })
    .readonly(),
]);

/** Keys of a sequence model besides what it reads and what it is to give. */
export const SEQUENCE_STACK_KEYS = {
  kind: key("'sequenceModel'", z.literal("sequenceModel")),
  /** Each layer reads the sequence in both directions (Schuster and Paliwal, 1997). */
  bidirectional: key(FLAG, z.boolean().default(false)),
  ...RECURRENT_KEYS,
  ...REGULARIZATION_KEYS,
} as const;

/** Keys of a sequence model that a person sets; the sizes of inputs and targets come from the data. */
export const SEQUENCE_MODEL_KEYS = {
  ...SEQUENCE_STACK_KEYS,
  /** E, of tokens; null: the default. Values are not embedded. */
  embeddingSize: key(`${SIZE}, or null`, size().nullable().default(null)),
  /** Whether each time step has outputs, or the sequence as a whole, after its last step. */
  output: key(names(OUTPUTS), z.enum(OUTPUTS).default("everyStep")),
  loss: withDefaultKind("meanSquared", lossSchema).prefault({}),
} as const;

const { embeddingSize: _ofInput, ...KEYS_OF_SPEC } = SEQUENCE_MODEL_KEYS;

const sequenceModel = z.strictObject({
  ...KEYS_OF_SPEC,
  /** What a time step of a sequence is. */
  input,
  /** Target values of an output, or classes to choose from; labels with the blank for CTC. */
  numTargets: key(SIZE, size()),
});

/**
 * Values or tokens → recurrent layers → linear head → loss: forecasters, classifiers, taggers, CTC.
 */
export type SequenceModelSpec = Readonly<z.output<typeof sequenceModel>>;

/**
 * The first rule between keys that a sequence model breaks, but for those of its data's sizes.
 *
 * @param spec without `input` where the data are not known yet
 */
export function brokenSequenceModelRule(
  spec: Omit<SequenceModelSpec, "input" | "numTargets"> & Partial<Pick<SequenceModelSpec, "input">>,
): BrokenRule | undefined {
  if (spec.input?.kind === "values" && spec.embeddingDropout !== 0) {
    return {
      path: ["embeddingDropout"],
      message: "it must be 0 for inputs that are values, not tokens",
    };
  }
  if (spec.loss.kind === "ctc" && spec.output !== "everyStep") {
    return { path: ["output"], message: "it must be 'everyStep' for the loss 'ctc'" };
  }
  const [broken] = brokenRecurrentRules(spec);
  return broken;
}

function brokenRule(spec: SequenceModelSpec): BrokenRule | undefined {
  const ofLoss = brokenLossRule(spec.loss, spec.numTargets);
  if (ofLoss !== undefined) return { path: ["loss", ofLoss.key], message: ofLoss.message };
  return brokenSequenceModelRule(spec);
}

export const sequenceModelSchema = sequenceModel
  .superRefine((spec, context) => {
    const broken = brokenRule(spec);
    if (broken !== undefined)
      context.addIssue({ code: "custom", ...broken, path: [...broken.path] });
  })
  .readonly();
