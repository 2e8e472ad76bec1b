/** How free leaves are shared out among idle workers. */

export interface Assignment {
  readonly workerId: string;
  readonly leaves: readonly number[];
}

/**
 * Cuts the free leaves, in order, into one run a worker, as even as can be.
 *
 * The workers' order decides who gets which run; with a steady order and steady membership a
 * worker keeps its leaves from step to step and so already holds their carried state.
 */
export function planLeases(
  freeLeaves: readonly number[],
  idleWorkers: readonly string[],
): readonly Assignment[] {
  const numWorkers = Math.min(freeLeaves.length, idleWorkers.length);
  return idleWorkers.slice(0, numWorkers).map((workerId, index) => ({
    workerId,
    leaves: freeLeaves.slice(
      Math.floor((index * freeLeaves.length) / numWorkers),
      Math.floor(((index + 1) * freeLeaves.length) / numWorkers),
    ),
  }));
}

/** Cuts ascending leaves into runs without gaps, as [first, count]. */
export function contiguousRuns(
  leaves: readonly number[],
): readonly { readonly first: number; readonly count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (const leaf of leaves) {
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.count === leaf) last.count += 1;
    else runs.push({ first: leaf, count: 1 });
  }
  return runs;
}
