import { DataError } from "../data-error.js";
import type { SplitFractions, SplitName } from "../dataset/index.js";

/** Samples `first` to `first + count - 1`. */
export interface SampleRange {
  readonly first: number;
  readonly count: number;
}

/** As many as an order can be drawn of without a rounded product (see layout/shuffled-order.ts). */
export const MAX_SAMPLES = 2 ** 21;

/** Ids are int32. */
export const MAX_IDS = 2 ** 31 - 1;

/** The parts follow each other: training, validation, test. */
export function rangesOf({
  train,
  validation,
  test,
}: Readonly<Record<SplitName, number>>): Record<SplitName, SampleRange> {
  return {
    train: { first: 0, count: train },
    validation: { first: train, count: validation },
    test: { first: train + validation, count: test },
  };
}

/**
 * Of n samples the test part has floor(n · testFraction) at the end, the validation part
 * floor(n · validationFraction) before it, the training part the rest.
 *
 * @param noun what the samples are, in messages
 * @throws DataError 'wrongNumberOfSamples' for a part that would be empty
 */
export function splitsOf(
  numSamples: number,
  { validationFraction, testFraction }: SplitFractions,
  noun: string,
): Record<SplitName, SampleRange> {
  const test = Math.floor(numSamples * testFraction);
  const validation = Math.floor(numSamples * validationFraction);
  const train = numSamples - validation - test;
  const counts = { train, validation, test };
  for (const [name, count] of Object.entries(counts)) {
    if (count > 0) continue;
    throw new DataError(
      "wrongNumberOfSamples",
      `${numSamples} ${noun} leave 0 for the ${name} part (validationFraction ` +
        `${validationFraction}, testFraction ${testFraction}); it needs at least 1`,
      { given: numSamples },
    );
  }
  return rangesOf(counts);
}
