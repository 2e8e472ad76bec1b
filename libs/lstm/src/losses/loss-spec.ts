import { z } from "zod";

import { key, names, NOT_NEGATIVE, notNegative, POSITIVE, positive } from "../keys/index.js";
import { FLAG, FRACTION, fraction, wholeNumber, wholeNumbers } from "../keys/index.js";

const KIND = names([
  "meanSquared",
  "meanAbsolute",
  "huber",
  "quantile",
  "gaussian",
  "studentT",
  "binaryCrossEntropy",
  "crossEntropy",
  "ctc",
]);

const kind = <const Kind extends string>(name: Kind): z.ZodLiteral<Kind> =>
  key(KIND, z.literal(name));

const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;
const QUANTILES = "numbers above 0 and below 1, each larger than the one before";

const isAscending = (values: readonly number[]): boolean =>
  values.every((value, i) => i === 0 || value > (values[i - 1] ?? value));

const quantiles = key(
  QUANTILES,
  z
    .array(z.number().gt(0).lt(1))
    .min(1)
    .refine(isAscending, { message: `it must be ${QUANTILES}` })
    .readonly()
    .default([0.1, 0.5, 0.9]),
);

/** Keeps a scale from 0. */
const epsilon = key(POSITIVE, positive().default(1e-6));

/** How a model's outputs are compared with the targets; docs/training/losses.md has the formulas. */
export const lossSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: kind("meanSquared") }).readonly(),
  z.strictObject({ kind: kind("meanAbsolute") }).readonly(),
  z
    .strictObject({
      kind: kind("huber"),
      /** The error from which on the loss grows linearly. */
      delta: key(POSITIVE, positive().default(1)),
    })
    .readonly(),
  z.strictObject({ kind: kind("quantile"), quantiles }).readonly(),
  z.strictObject({ kind: kind("gaussian"), epsilon }).readonly(),
  z.strictObject({ kind: kind("studentT"), epsilon }).readonly(),
  z
    .strictObject({
      kind: kind("binaryCrossEntropy"),
      /** What the loss of a positive target is multiplied with. */
      positiveWeight: key(POSITIVE, positive().default(1)),
    })
    .readonly(),
  z
    .strictObject({
      kind: kind("crossEntropy"),
      /** One a class, or none: then every class has weight 1. */
      classWeights: key(
        `a list with ${NOT_NEGATIVE} for each class`,
        z.array(notNegative()).readonly().default([]),
      ),
      /** Positions with this target count as masked. */
      ignoredIndex: key(
        wholeNumbers(MIN_INT32, MAX_INT32),
        wholeNumber(MIN_INT32, MAX_INT32).default(-100),
      ),
      /** The share of the target that is spread evenly over all classes. */
      labelSmoothing: key(FRACTION, fraction().default(0)),
    })
    .readonly(),
  z
    .strictObject({
      kind: kind("ctc"),
      blankIndex: key(wholeNumbers(0, MAX_INT32), wholeNumber(0, MAX_INT32).default(0)),
      /** Whether a row that no alignment fits counts with loss and gradient 0 instead of an error. */
      zeroInfinity: key(FLAG, z.boolean().default(false)),
    })
    .readonly(),
]);

/** With every default filled in. */
export type LossSpec = z.output<typeof lossSchema>;

/** As it is written: keys that have a default may be missing. */
export type LossOptions = z.input<typeof lossSchema>;

/** A rule between keys that is broken. */
interface BrokenLossRule {
  readonly key: string;
  readonly value: unknown;
  /** What follows the key and its value in a message. */
  readonly message: string;
}

/**
 * The rule that a loss breaks with its data.
 *
 * @param numTargets values, classes or labels of the data
 */
export function brokenLossRule(loss: LossSpec, numTargets: number): BrokenLossRule | undefined {
  if (loss.kind === "crossEntropy") {
    const { classWeights: value } = loss;
    if (value.length === 0 || value.length === numTargets) return undefined;
    const message = `it must have a weight for each of ${numTargets} classes, or be empty`;
    return { key: "classWeights", value, message };
  }
  if (loss.kind === "ctc" && loss.blankIndex >= numTargets) {
    const message = `it must be a label from 0 to ${numTargets - 1}`;
    return { key: "blankIndex", value: loss.blankIndex, message };
  }
  return undefined;
}

/** What a loss is measured in. */
export type LossUnit = "nats" | "target units" | "squared target units";

const UNITS: Readonly<Record<LossSpec["kind"], LossUnit>> = {
  meanSquared: "squared target units",
  meanAbsolute: "target units",
  // Squared for small errors; for large ones delta, in the targets' unit, times the error.
  huber: "squared target units",
  quantile: "target units",
  gaussian: "nats",
  studentT: "nats",
  binaryCrossEntropy: "nats",
  crossEntropy: "nats",
  ctc: "nats",
};

export function lossUnit(kind: LossSpec["kind"]): LossUnit {
  return UNITS[kind];
}

/**
 * What a target adds to the loss weight, times its own weight: the weight of its class, nothing for the
 * ignored one, else 1.
 *
 * @param target a class; what it is does not matter to other losses
 */
export function targetShare(loss: LossSpec, target: number): number {
  if (loss.kind !== "crossEntropy") return 1;
  if (target === loss.ignoredIndex) return 0;
  return loss.classWeights.length === 0 ? 1 : (loss.classWeights[target] ?? 0);
}
