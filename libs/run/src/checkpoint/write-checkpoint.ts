/** Checkpoint → files. */

import type { RunDirectory } from "../directory/index.js";
import type { CheckpointContent, CheckpointTensors } from "./content.js";
import { encodeTensorFiles } from "./tensor-files.js";
import type { HashedFile } from "./tensor-files.js";
import { encodeManifest, MANIFEST_FILE, MANIFEST_FORMAT } from "./manifest.js";
import type { Manifest } from "./manifest.js";
import { checkpointPath } from "./names.js";
import { writePointer } from "./pointers.js";

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
    format: MANIFEST_FORMAT,
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
