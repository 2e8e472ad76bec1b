/** How many leaves each worker gets: in proportion to its speed, and seldom changed. Pure. */

/** Another division must end the step so many times sooner: states of leaves that move have to travel. */
const WORTH_MOVING = 1.25;

interface Division {
  readonly workers: readonly string[];
  readonly shares: readonly number[];
}

/**
 * Remembers, by kind of round, how the whole of it was divided last. It is divided anew when other workers are
 * there, or when measured rates make another division clearly better.
 */
export class LeaseShares {
  readonly #last = new Map<string, Division>();

  /**
   * @param kind of the round; undefined for a part of one, of which nothing is remembered
   * @param numGroups of leaves that are never parted
   * @param rates of the workers; undefined where they are not known
   * @returns by worker, how many groups it gets; they add up to all where there is a worker
   */
  divide(
    kind: string | undefined,
    numGroups: number,
    workers: readonly string[],
    rates: readonly number[] | undefined,
  ): readonly number[] {
    const present = this.#known(kind, numGroups, workers) ?? evenShares(numGroups, workers.length);
    const better = rates && sharesBySpeed(numGroups, rates);
    const isWorthIt =
      better !== undefined && endOf(better, rates) * WORTH_MOVING < endOf(present, rates);
    const shares = isWorthIt ? better : present;
    if (kind !== undefined) this.#last.set(kind, { workers, shares });
    return shares;
  }

  #known(
    kind: string | undefined,
    numGroups: number,
    workers: readonly string[],
  ): readonly number[] | undefined {
    const last = kind === undefined ? undefined : this.#last.get(kind);
    if (last?.workers.length !== workers.length) return undefined;
    const isSame = last.workers.every((id, index) => id === workers[index]);
    const total = last.shares.reduce((sum, share) => sum + share, 0);
    return isSame && total === numGroups ? last.shares : undefined;
  }
}

/** As even as can be; where there are more workers than groups, the last ones get none. */
function evenShares(numGroups: number, numWorkers: number): readonly number[] {
  const taking = Math.min(numGroups, numWorkers);
  const cut = (index: number): number => Math.floor((index * numGroups) / taking);
  return Array.from({ length: numWorkers }, (_, i) => (i < taking ? cut(i + 1) - cut(i) : 0));
}

/** When the last worker is through. */
function endOf(shares: readonly number[], rates: readonly number[] = []): number {
  return Math.max(0, ...shares.map((share, i) => (share === 0 ? 0 : share / (rates[i] ?? 1))));
}

/**
 * Each group goes to whoever is through with it first: no division of equal groups ends sooner. One that would
 * hold up the others gets none.
 */
function sharesBySpeed(numGroups: number, rates: readonly number[]): readonly number[] {
  const shares = rates.map(() => 0);
  for (let group = 0; group < numGroups; group++) {
    let first = 0;
    let soonest = Infinity;
    for (const [index, rate] of rates.entries()) {
      const end = ((shares[index] ?? 0) + 1) / rate;
      if (end < soonest) [first, soonest] = [index, end];
    }
    shares[first] = (shares[first] ?? 0) + 1;
  }
  return shares;
}
