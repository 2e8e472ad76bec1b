/** The names in a checkpoints folder. */

import { join } from "node:path";

import type { RunDirectory } from "../directory/index.js";

/** `step-00001234`: sorts as its step does up to 99 999 999. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, "0")}`;
}

export function checkpointPath(run: RunDirectory, step: number): string {
  return join(run.paths.checkpoints, checkpointName(step));
}

/** The steps of all checkpoints that have a folder, whole or not, newest first. */
export async function checkpointSteps(run: RunDirectory): Promise<number[]> {
  const names = await run.storage.list(run.paths.checkpoints);
  return names
    .flatMap((name) => /^step-(\d{8,})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}
