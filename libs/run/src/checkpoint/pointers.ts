/** latest.json and best.json: which checkpoint other programs take. */

import { join } from "node:path";

import { z } from "zod";

import type { RunDirectory } from "../directory/index.js";
import { RunError } from "../errors/index.js";
import { checkpointName } from "./names.js";

const pointerSchema = z.strictObject({
  checkpoint: z.string(),
  step: z.int().nonnegative(),
  /** Of the validation part; only in best.json. */
  loss: z.number().optional(),
});

export type PointerName = "latest" | "best";

export interface CheckpointPointer {
  readonly step: number;
  readonly loss?: number;
}

export async function writePointer(
  run: RunDirectory,
  name: PointerName,
  pointer: CheckpointPointer,
): Promise<void> {
  const json = JSON.stringify({ checkpoint: checkpointName(pointer.step), ...pointer });
  await run.storage.write(pathOf(run, name), Buffer.from(`${json}\n`));
}

/**
 * The step that latest.json or best.json names; undefined if there is no such file.
 *
 * @throws RunError 'checkpointDamaged'
 */
export async function readPointer(
  run: RunDirectory,
  name: PointerName,
): Promise<CheckpointPointer | undefined> {
  const path = pathOf(run, name);
  if (!(await run.storage.exists(path))) return undefined;
  const bytes = await run.storage.read(path);
  try {
    const { checkpoint, step, loss } = pointerSchema.parse(
      JSON.parse(Buffer.from(bytes).toString()),
    );
    if (checkpoint !== checkpointName(step)) throw new Error(`${checkpoint} is not step ${step}`);
    return loss === undefined ? { step } : { step, loss };
  } catch (error) {
    throw new RunError("checkpointDamaged", `${path}: names no checkpoint`, { cause: error });
  }
}

function pathOf(run: RunDirectory, name: PointerName): string {
  return join(run.paths.checkpoints, `${name}.json`);
}
