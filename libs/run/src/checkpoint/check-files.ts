/** Whether the files of a checkpoint are those that were written. */

import { createHash } from "node:crypto";
import { join } from "node:path";

import type { RunDirectory } from "../directory/index.js";
import { RunError } from "../errors/index.js";
import { TENSOR_FILES } from "./content.js";
import { decodeManifest, MANIFEST_FILE } from "./manifest.js";
import type { Manifest } from "./manifest.js";
import { checkpointPath } from "./names.js";

/**
 * Reads a checkpoint's manifest, and makes sure that it is of this step and run.
 *
 * @throws RunError 'checkpointDamaged' | 'newerFormat' | 'storageFailed'
 */
export async function readManifest(run: RunDirectory, step: number): Promise<Manifest> {
  const manifest = decodeManifest(await readFileOf(run, checkpointPath(run, step), MANIFEST_FILE));
  if (manifest.step !== step) throw damaged(`its manifest is that of step ${manifest.step}`);
  if (manifest.vocabulary !== run.vocabularySha256) {
    throw damaged("vocabulary.json does not have the SHA-256 that the manifest names");
  }
  return manifest;
}

/** @throws RunError 'checkpointDamaged' if there is no such file, 'storageFailed' */
export async function readFileOf(
  run: RunDirectory,
  folder: string,
  name: string,
): Promise<Uint8Array> {
  const path = join(folder, name);
  if (!(await run.storage.exists(path))) throw damaged(`${name} is missing`);
  return run.storage.read(path);
}

/**
 * Whether every file of a checkpoint has the bytes that its manifest names, without holding a whole one in
 * memory or the event loop for longer than a part of one.
 *
 * @throws RunError 'storageFailed' if that cannot be told
 */
export async function isWhole(run: RunDirectory, step: number): Promise<boolean> {
  try {
    const { files } = await readManifest(run, step);
    for (const name of TENSOR_FILES) {
      const path = join(checkpointPath(run, step), name);
      if (!(await run.storage.exists(path))) return false;
      const hash = createHash("sha256");
      for await (const part of run.storage.readParts(path)) hash.update(part);
      if (hash.digest("hex") !== files[name].sha256) return false;
    }
    return true;
  } catch (error) {
    const isNewer = error instanceof RunError && error.code === "newerFormat";
    if (isNewer || isDamage(error)) return false;
    throw error;
  }
}

/** Whether an error says of a file that its bytes are lost, and not that it cannot be reached just now. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof RunError)) return false;
  if (error.code === "checkpointDamaged" || error.code === "tensorsCorrupt") return true;
  return error.code === "storageFailed" && causes(error).includes("EIO");
}

function causes(error: unknown): readonly (string | undefined)[] {
  if (!(error instanceof Error)) return [];
  return [(error as NodeJS.ErrnoException).code, ...causes(error.cause)];
}

export function damaged(reason: string): RunError {
  return new RunError("checkpointDamaged", reason);
}
