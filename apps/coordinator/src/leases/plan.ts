/** How free leaves are shared out among idle workers. */

import { nodesCovering } from "@ostinato/kernels";
import type { NodeId } from "@ostinato/proto";

export interface Assignment {
  readonly workerId: string;
  readonly leaves: readonly number[];
}

/**
 * Cuts the free leaves, in order, into one run a worker.
 *
 * The workers' order decides who gets which run; with a steady order, steady membership and steady
 * shares a worker keeps its leaves from step to step and so already holds their carried state.
 *
 * @param shares groups of leaves for each worker, which add up to those there are; see `LeaseShares`
 * @param leavesTogether leaves that are never parted; the free ones are whole groups of them
 * @returns none for a worker without a share
 */
export function planLeases(
  freeLeaves: readonly number[],
  idleWorkers: readonly string[],
  shares: readonly number[],
  leavesTogether = 1,
): readonly Assignment[] {
  let first = 0;
  return idleWorkers.flatMap((workerId, index) => {
    const end = first + (shares[index] ?? 0) * leavesTogether;
    const leaves = freeLeaves.slice(first, end);
    first = end;
    return leaves.length === 0 ? [] : [{ workerId, leaves }];
  });
}

/**
 * The nodes whose sums a worker with these leaves uploads: as few as can be, or where gradients are rounded all
 * of the level at which they are.
 *
 * @param leaves ascending; whole nodes of that level
 * @param roundedLeaves leaves of a node at that level; undefined: nothing is rounded
 */
export function nodesToUpload(
  leaves: readonly number[],
  roundedLeaves: number | undefined,
): readonly NodeId[] {
  return contiguousRuns(leaves).flatMap(({ first, count }) => {
    if (roundedLeaves === undefined) return nodesCovering(first, count);
    return Array.from({ length: count / roundedLeaves }, (_, index) => ({
      firstLeaf: first + index * roundedLeaves,
      numLeaves: roundedLeaves,
    }));
  });
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
