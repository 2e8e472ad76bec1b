import { LstmError } from "../lstm-error.js";

/** Moments of some values, column by column, in float64. */
export interface Moments {
  /** Number of values of each column. */
  readonly count: number;
  /** [C] */
  readonly mean: Float64Array;
  /** [C]: sum of squared distances from the mean. */
  readonly m2: Float64Array;
}

/** The moments of both sets of values together (Chan, Golub and LeVeque, 1983, eq. 2.1). */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.mean.length !== b.mean.length) {
    throw new LstmError(
      "invalidStatistics",
      `moments of ${a.mean.length} and of ${b.mean.length} columns cannot be merged`,
    );
  }
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const mean = new Float64Array(a.mean.length);
  const m2 = new Float64Array(a.mean.length);
  for (const [c, meanOfA] of a.mean.entries()) {
    const distance = (b.mean[c] ?? 0) - meanOfA;
    mean[c] = meanOfA + (distance * b.count) / count;
    m2[c] = (a.m2[c] ?? 0) + (b.m2[c] ?? 0) + (distance * distance * a.count * b.count) / count;
  }
  return { count, mean, m2 };
}

/**
 * The moments of all leaves, merged along the gradient tree: the same bits, whoever computed which leaf.
 *
 * @param leaves of all micro-shards in their order; a power of two of them, some may be empty.
 * @throws {LstmError} `invalidStatistics` for another number of leaves, or for different widths
 */
export function mergeMomentsInTreeOrder(leaves: readonly Moments[]): Moments {
  const { length } = leaves;
  if (length === 0 || (length & (length - 1)) !== 0) {
    throw new LstmError(
      "invalidStatistics",
      `there are moments of ${length} leaves; there must be a power of two of them`,
    );
  }
  let level = leaves;
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, k) =>
      mergeMoments(level[2 * k] as Moments, level[2 * k + 1] as Moments),
    );
  }
  return level[0] as Moments;
}
