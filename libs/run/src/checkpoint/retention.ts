/** Which of the old checkpoints stay. */

import type { RunDirectory } from "../directory/index.js";
import { RunError } from "../errors/index.js";
import { isDamage, isWhole, readManifest } from "./check-files.js";
import { checkpointPath, checkpointSteps } from "./names.js";
import { readPointer } from "./pointers.js";
import type { PointerName } from "./pointers.js";

export interface RetentionOptions {
  /** The step whose checkpoint was just written. It and the older ones count; newer ones were skipped. */
  readonly written: number;
  /** How many of those that count and verify stay, the newest, at least 1. */
  readonly keep: number;
  /** The step of the best one, which stays besides. */
  readonly best?: number | undefined;
}

/**
 * Removes old checkpoints, those that a resume found damaged and went back behind, and what a crash left
 * behind. What latest.json and best.json name stays, and what a newer version of this program has written.
 * A checkpoint counts among the newest only if its bytes are those that were written, which are read again
 * for that: until there are enough of them, no older one is removed.
 *
 * @returns the steps whose checkpoints were removed
 * @throws RunError 'storageFailed'
 */
export async function retention(run: RunDirectory, options: RetentionOptions): Promise<number[]> {
  await run.storage.sweep(run.paths.checkpoints);
  const steps = await checkpointSteps(run);
  const staying = new Set([
    ...(await newestWhole(run, steps, options)),
    await namedStep(run, "latest"),
    await namedStep(run, "best"),
    options.best,
  ]);
  const removed: number[] = [];
  for (const step of steps.filter((candidate) => !staying.has(candidate))) {
    if (await isOfNewerFormat(run, step)) continue;
    await run.storage.remove(checkpointPath(run, step));
    removed.push(step);
  }
  return removed;
}

/** The newest ones down to the last that is needed for enough whole ones, with the damaged ones between. */
async function newestWhole(
  run: RunDirectory,
  steps: readonly number[],
  { written, keep }: RetentionOptions,
): Promise<readonly number[]> {
  const counting = steps.filter((step) => step <= written);
  if (counting.length <= keep) return counting;
  let numWhole = 0;
  const newest: number[] = [];
  for (const step of counting) {
    if (numWhole === keep) break;
    newest.push(step);
    if (await isWhole(run, step)) numWhole += 1;
  }
  return newest;
}

async function isOfNewerFormat(run: RunDirectory, step: number): Promise<boolean> {
  try {
    await readManifest(run, step);
    return false;
  } catch (error) {
    if (error instanceof RunError && error.code === "newerFormat") return true;
    if (isDamage(error)) return false;
    throw error;
  }
}

async function namedStep(run: RunDirectory, name: PointerName): Promise<number | undefined> {
  try {
    return (await readPointer(run, name))?.step;
  } catch (error) {
    // One that is damaged names nothing.
    if (isDamage(error)) return undefined;
    throw error;
  }
}
