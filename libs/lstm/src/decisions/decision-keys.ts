import { z } from "zod";

import {
  key,
  MAX_UINT32,
  names,
  NOT_NEGATIVE,
  notNegative,
  wholeNumber,
  wholeNumbers,
} from "../keys/index.js";

const BELOW_1 = "a number above 0 and below 1";

/** The keys of {@link PlateauSpec}; the schedule of kind `plateau` has them. Defaults are PyTorch's. */
export const plateauKeys = {
  /** What the learning rate is multiplied with on a plateau. */
  factor: key(BELOW_1, z.number().positive().lt(1).default(0.1)),
  /** Evaluations in a row without improvement that are let pass; the one after them reduces. */
  patience: key(wholeNumbers(0, MAX_UINT32), wholeNumber(0, MAX_UINT32).default(10)),
  /** How much better than the best a loss must be to count as an improvement. */
  threshold: key(NOT_NEGATIVE, notNegative().default(1e-4)),
  /** Whether `threshold` is a share of the best loss or a difference in nats. */
  thresholdMode: key(names(["rel", "abs"]), z.enum(["rel", "abs"]).default("rel")),
  /** Evaluations after a reduction in which those without improvement are not counted. */
  cooldown: key(wholeNumbers(0, MAX_UINT32), wholeNumber(0, MAX_UINT32).default(0)),
  /** What the learning rate never falls below, as a share of the peak. */
  minFraction: key("a number from 0 to 1", z.number().min(0).max(1).default(0)),
} as const;

/** When training ends before its epochs do; null: never. */
export const earlyStoppingSchema = key(
  "a group of keys (patience, minDelta), or null",
  z
    .strictObject({
      /** Training ends with this many evaluations in a row without improvement. */
      patience: key(wholeNumbers(1, MAX_UINT32), wholeNumber(1, MAX_UINT32)),
      /** How much lower than the best a loss must be to count as an improvement. */
      minDelta: key(NOT_NEGATIVE, notNegative().default(0)),
    })
    .readonly()
    .nullable()
    .default(null),
);

const MAX_INTERVAL = 1000;
const INTERVAL = wholeNumbers(0, MAX_INTERVAL);

/** The key of the optimizer that averages: n, or null where evaluations do not start its averaging. */
export const optionalIntervalKey = key(
  `${INTERVAL}, or null`,
  wholeNumber(0, MAX_INTERVAL).nullable().default(null),
);

/** The key of {@link AveragingTriggerSpec}. */
export const averagingTriggerKeys = {
  /** The newest evaluations that a loss is not compared with (n in Merity et al. 2018). */
  nonmonotonicInterval: key(INTERVAL, wholeNumber(0, MAX_INTERVAL).default(5)),
} as const;

/** What {@link DecisionsSpec} takes. A schedule of kind `plateau` has more keys than are asked for. */
export const decisionsSchema = z
  .strictObject({
    plateau: key(
      `a group of keys (${Object.keys(plateauKeys).join(", ")}), or null`,
      z.object(plateauKeys).readonly().nullable(),
    ),
    earlyStopping: earlyStoppingSchema,
    averaging: key(
      `a group of keys (${Object.keys(averagingTriggerKeys).join(", ")}), or null`,
      z.strictObject(averagingTriggerKeys).readonly().nullable(),
    ),
  })
  .readonly();

/** What is decided from the validation loss; null for what is not. */
export type DecisionsSpec = z.output<typeof decisionsSchema>;

/** When the learning rate is reduced because the validation loss does not fall any more. */
export type PlateauSpec = NonNullable<DecisionsSpec["plateau"]>;
/** When training ends before its epochs do. */
export type EarlyStoppingSpec = NonNullable<DecisionsSpec["earlyStopping"]>;
/** The non-monotonic trigger of averaged SGD (Merity et al. 2018). */
export type AveragingTriggerSpec = NonNullable<DecisionsSpec["averaging"]>;
