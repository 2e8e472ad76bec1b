/** A leaf's moments as one flat array: of each normalization the count, then its C means, then its C M2. */

import { LstmError } from "../lstm-error.js";
import type { Moments } from "./moments.js";
import type { StatisticsLayout } from "./running-statistics.js";

/** Values in a leaf's flat moments. */
export function momentsSize({ entries }: StatisticsLayout): number {
  return entries.reduce((total, { size }) => total + 1 + 2 * size, 0);
}

/** @param moments one for each entry of the layout */
export function flattenMoments(
  layout: StatisticsLayout,
  moments: readonly Moments[],
): Float64Array<ArrayBuffer> {
  const flat = new Float64Array(momentsSize(layout));
  let offset = 0;
  for (const [index, { size }] of layout.entries.entries()) {
    const { count, mean, m2 } = moments[index] as Moments;
    flat[offset] = count;
    flat.set(mean, offset + 1);
    flat.set(m2, offset + 1 + size);
    offset += 1 + 2 * size;
  }
  return flat;
}

/**
 * The moments of a flat array, one for each entry of the layout; views, no copies.
 *
 * @throws {LstmError} `invalidStatistics` for another length
 */
export function unflattenMoments(layout: StatisticsLayout, flat: Float64Array): Moments[] {
  if (flat.length !== momentsSize(layout)) {
    throw new LstmError(
      "invalidStatistics",
      `flat moments have ${flat.length} values; the model has ${momentsSize(layout)}`,
    );
  }
  let offset = 0;
  return layout.entries.map(({ size }) => {
    const at = offset + 1;
    const count = flat[offset] ?? 0;
    offset = at + 2 * size;
    return { count, mean: flat.subarray(at, at + size), m2: flat.subarray(at + size, offset) };
  });
}

/** What shows that flat moments of any origin are none, if anything; whether they are finite is not asked. */
export function momentsProblem(layout: StatisticsLayout, flat: Float64Array): string | undefined {
  for (const [index, { count, m2 }] of unflattenMoments(layout, flat).entries()) {
    const name = layout.entries[index]?.name ?? "";
    if (Number.isFinite(count) && !(Number.isSafeInteger(count) && count >= 0)) {
      return `the count of ${name} is ${count}; it must be a whole number from 0`;
    }
    const negative = m2.find((value) => value < 0);
    if (negative !== undefined) {
      return `a sum of squares of ${name} is ${negative}; it must not be negative`;
    }
  }
  return undefined;
}
