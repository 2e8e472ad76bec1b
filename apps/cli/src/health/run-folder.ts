/** Whether a run could be kept in a folder: written, synced and renamed as a checkpoint is. */

import { access, mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { FileStorage } from "@ostinato/run";

import { reasonOf } from "./ports.js";

export interface RunFolderCheck {
  readonly folder: string;
  /** Why no run can be kept there; null: one can. */
  readonly trouble: string | null;
  /** What a small file takes until it is safe, in milliseconds; null if there is trouble. */
  readonly syncMs: number | null;
}

/**
 * A folder that is not there yet is checked by the nearest one above it that is. Leaves nothing behind.
 *
 * @param folder absolute
 */
export async function checkRunFolder(folder: string, now: () => number): Promise<RunFolderCheck> {
  try {
    const trial = await mkdtemp(join(await nearest(folder), ".ostinato-doctor-"));
    try {
      const storage = new FileStorage();
      const startMs = now();
      await storage.write(join(trial, "file"), Buffer.from("whole or not at all"));
      const syncMs = now() - startMs;
      await storage.writeFolder(join(trial, "folder"), [{ name: "file", bytes: Buffer.of(1) }]);
      return { folder, trouble: null, syncMs };
    } finally {
      await rm(trial, { recursive: true, force: true });
    }
  } catch (error) {
    return { folder, trouble: reasonOf(error), syncMs: null };
  }
}

async function nearest(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || above === folder) throw error;
    return nearest(above);
  }
}
