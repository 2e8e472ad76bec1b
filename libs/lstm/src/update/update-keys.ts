import { key, positive, POSITIVE } from "../keys/index.js";
import { clippingSchema } from "../clipping/index.js";
import { gradientNoiseSchema } from "./gradient-noise.js";

const rate = (value: number) => key(POSITIVE, positive().default(value));

/** The learning rate, whose default depends on the optimizer. */
export const LEARNING_RATE_KEYS = {
  sgd: rate(0.1),
  momentum: rate(0.1),
  averagedSgd: rate(0.1),
  adagrad: rate(0.01),
  rmsprop: rate(1e-3),
  adam: rate(2e-3),
  adamw: rate(2e-3),
  lamb: rate(2e-3),
} as const;

/** What an update has besides its optimizer. */
export const UPDATE_KEYS = {
  /** How the averaged gradient is clipped. */
  clipping: clippingSchema.prefault({}),
  /** What is added to the clipped gradient; null for nothing. */
  gradientNoise: key(
    "a group of keys (scale, decay), or null",
    gradientNoiseSchema.nullable().default(null),
  ),
} as const;
