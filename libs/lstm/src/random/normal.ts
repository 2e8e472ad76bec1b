import { LstmError } from "../lstm-error.js";
import { wordsIn } from "./fill.js";
import { normalProbabilityUpTo, normalQuantile } from "./normal-quantile.js";
import type { RandomKey } from "./random-key.js";

/** PyTorch's trunc_normal_ and TensorFlow's truncated_normal cut off here. */
const DEFAULT_BOUND = 2;
const MIN_BOUND = 0.01;
const MAX_BOUND = 6;

/**
 * Standard normal deviates, rounded to float32: `out[i]` depends on the key and `firstCounter + i`
 * alone. Each is the quantile of one of 2³² probabilities of equal chance, the largest 6.3 from the mean.
 *
 * @throws {LstmError} `invalidRandomKey`
 */
export function fillNormal(key: RandomKey, out: Float32Array, firstCounter = 0): void {
  fillQuantiles(key, out, 1, firstCounter);
}

/**
 * Standard normal deviates given that they are within ±`bound`, by the quantiles of the probabilities
 * between those of the bounds: one number of the stream each, none rejected. Their variance is below 1:
 * 0.774 for a bound of 2.
 *
 * @param bound in standard deviations of the deviates before truncation, from 0.01 to 6
 * @throws {LstmError} `invalidRandomKey`
 */
export function fillTruncatedNormal(
  key: RandomKey,
  out: Float32Array,
  bound = DEFAULT_BOUND,
  firstCounter = 0,
): void {
  if (!(bound >= MIN_BOUND && bound <= MAX_BOUND)) {
    throw new LstmError(
      "invalidRandomKey",
      `the bound of a truncated normal deviate is ${bound}; it must be from ${MIN_BOUND} to ${MAX_BOUND}`,
    );
  }
  fillQuantiles(key, out, 2 * normalProbabilityUpTo(bound), firstCounter);
}

/** Quantiles of probabilities spread evenly over the middle `probability` of all. */
function fillQuantiles(
  key: RandomKey,
  out: Float32Array,
  probability: number,
  firstCounter: number,
): void {
  const words = wordsIn(out, key, firstCounter);
  const { length } = out;
  for (let i = 0; i < length; i++) {
    // The middles of 2³² equal parts: never an end, and as many below as above the mean.
    const offset = ((words[i] ?? 0) + 0.5) * 2 ** -32 - 0.5;
    out[i] = normalQuantile(offset * probability);
  }
}
