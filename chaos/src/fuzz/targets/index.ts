/** Every parser of bytes from outside, as a target; one file a family. */

import type { FuzzTarget } from "../fuzz-target.js";
import { ADDRESS_TARGETS } from "./addresses.js";
import { CHECKPOINT_TARGETS } from "./checkpoints.js";
import { CONFIG_TARGETS } from "./configs.js";
import { CREDENTIAL_TARGETS } from "./credentials.js";
import { DATASET_TARGETS } from "./datasets.js";
import { FRAME_TARGETS } from "./frames.js";
import { LEDGER_TARGETS } from "./ledger.js";
import { RUN_DIRECTORY_TARGETS } from "./run-directory.js";
import { SAMPLE_FILE_TARGETS } from "./sample-files.js";
import type { TargetTable } from "./table.js";
import { WIRE_TARGETS } from "./wire.js";

const TARGETS = {
  ...WIRE_TARGETS,
  ...FRAME_TARGETS,
  ...ADDRESS_TARGETS,
  ...CREDENTIAL_TARGETS,
  ...CONFIG_TARGETS,
  ...LEDGER_TARGETS,
  ...CHECKPOINT_TARGETS,
  ...RUN_DIRECTORY_TARGETS,
  ...DATASET_TARGETS,
  ...SAMPLE_FILE_TARGETS,
} as const satisfies TargetTable;

export const TARGET_NAMES: readonly string[] = Object.keys(TARGETS);

/** @throws RangeError for a name that is none */
export async function createTarget(name: string, folder: string): Promise<FuzzTarget> {
  const create = Object.hasOwn(TARGETS, name) ? (TARGETS as TargetTable)[name] : undefined;
  if (create === undefined) throw new RangeError(`${name} is none of ${TARGET_NAMES.join(", ")}`);
  return await create(folder);
}
