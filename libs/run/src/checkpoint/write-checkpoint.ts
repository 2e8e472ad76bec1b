/** Checkpoint → files, and which of the old ones stay. */

import type { RunDirectory } from "../directory/index.js";
import { RunError } from "../errors/index.js";
import type { CheckpointContent, CheckpointTensors } from "./content.js";
import { encodeTensorFiles } from "./tensor-files.js";
import type { HashedFile } from "./tensor-files.js";
import { encodeManifest, MANIFEST_FILE } from "./manifest.js";
import type { Manifest } from "./manifest.js";
import { checkpointPath, checkpointSteps } from "./names.js";
import { readPointer, writePointer } from "./pointers.js";
import type { PointerName } from "./pointers.js";

export interface WriteCheckpointOptions {
  /**
   * Runs when all files are safe and before the checkpoint becomes visible. The place to sync the ledger:
   * a manifest must never name a line that a crash can still take away.
   */
  readonly beforeCommit?: () => Promise<void>;
  /** Stands in for `encodeTensorFiles`, to do it elsewhere than on the caller's thread. */
  readonly encode?: (tensors: CheckpointTensors) => Promise<readonly HashedFile[]>;
}

/**
 * Writes a checkpoint, whole or not at all, then `latest.json`, and `best.json` if the checkpoint is that
 * of the best step so far. The content must not change until the promise resolves.
 *
 * @throws RunError 'storageFailed'
 */
export async function writeCheckpoint(
  run: RunDirectory,
  content: CheckpointContent,
  { beforeCommit, encode }: WriteCheckpointOptions = {},
): Promise<void> {
  const { job, step, trajectory, data, model, profile, ledger, optimizer, progress } = content;
  const { layout, parameters, statistics, states } = content;
  const tensors = { step, model, layout, parameters, optimizer, statistics, states };
  const files = encode === undefined ? encodeTensorFiles(tensors) : await encode(tensors);
  const sums = files.map(({ name, bytes, sha256 }) => [name, { bytes: bytes.length, sha256 }]);
  const manifest = encodeManifest({
    format: 1,
    job,
    step,
    trajectory,
    data,
    model,
    profile,
    ledger: { head: ledger.head, offset: ledger.offset },
    vocabulary: run.vocabularySha256,
    optimizer: { stepCount: optimizer.stepCount, slots: Object.keys(optimizer.slots) },
    progress,
    files: Object.fromEntries(sums) as Manifest["files"],
  });
  await run.storage.createFolder(run.paths.checkpoints);
  await run.storage.writeFolder(
    checkpointPath(run, step),
    [...files, { name: MANIFEST_FILE, bytes: manifest }],
    beforeCommit === undefined ? {} : { beforeCommit },
  );
  await writePointer(run, "latest", { step });
  if (progress.best?.step === step) await writePointer(run, "best", progress.best);
}

export interface RetentionOptions {
  /** The step whose checkpoint was just written. It and the older ones count; newer ones were skipped. */
  readonly written: number;
  /** How many of those that count stay, the newest, at least 1. */
  readonly keep: number;
  /** The step of the best one, which stays besides. */
  readonly best?: number | undefined;
}

/**
 * Removes old checkpoints, those that a resume found damaged and went back behind, and what a crash left
 * behind. What latest.json and best.json name stays.
 *
 * @returns the steps whose checkpoints were removed
 * @throws RunError 'storageFailed'
 */
export async function retention(run: RunDirectory, options: RetentionOptions): Promise<number[]> {
  const { written, keep, best } = options;
  await run.storage.sweep(run.paths.checkpoints);
  const steps = await checkpointSteps(run);
  const newest = steps.filter((step) => step <= written).slice(0, keep);
  const named = [await namedStep(run, "latest"), await namedStep(run, "best")];
  const removed = steps.filter((step) => ![...newest, ...named, best].includes(step));
  for (const step of removed) await run.storage.remove(checkpointPath(run, step));
  return removed;
}

async function namedStep(run: RunDirectory, name: PointerName): Promise<number | undefined> {
  try {
    return (await readPointer(run, name))?.step;
  } catch (error) {
    // One that is damaged names nothing.
    if (error instanceof RunError && error.code === "checkpointDamaged") return undefined;
    throw error;
  }
}
