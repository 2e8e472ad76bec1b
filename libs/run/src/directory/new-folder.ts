/** The folder of a new run: a new or empty one, or one whose run never came to its first line. */

import { basename, join } from "node:path";

import { RunError } from "../errors/index.js";
import { claimRun } from "../incarnation/index.js";
import type { Claimant, RunClaim } from "../incarnation/index.js";
import { guardStorage } from "../storage/index.js";
import type { Storage } from "../storage/index.js";
import { runPaths } from "./run-paths.js";
import type { RunPaths } from "./run-paths.js";

/** A folder that is claimed for a new run and holds nothing of it yet. */
export interface ClaimedFolder {
  readonly paths: RunPaths;
  /** The topmost folder that had to be created, absolute; undefined if the folder was there already. */
  readonly topmost: string | undefined;
  readonly claim: RunClaim;
}

/**
 * Claims the folder at `root`. A folder that is there already stays if the creation is taken back.
 *
 * @throws RunError 'runDirectoryInUse', 'storageFailed'
 */
export async function claimNamed(
  storage: Storage,
  root: string,
  claimant: Claimant,
): Promise<ClaimedFolder> {
  const paths = runPaths(root);
  const topmost = await storage.createFolder(root);
  if (topmost === undefined) await requireUnborn(storage, paths);
  const claim = await claimRun(paths.incarnations, claimant);
  try {
    // Once more, as another run may have come and gone before the folder was ours.
    await requireUnborn(storage, paths);
    const guarded = guardStorage(storage, () => claim.requireHeld());
    await guarded.remove(paths.ledger);
    await guarded.sweep(root);
  } catch (error) {
    claim.release();
    throw error;
  }
  return { paths, topmost, claim };
}

/** Claims `<runsFolder>/<name>`, numbered if that exists. */
export async function claimUnnamed(
  storage: Storage,
  runsFolder: string,
  name: string,
  claimant: Claimant,
): Promise<ClaimedFolder> {
  for (let number = 1; ; number++) {
    const root = join(runsFolder, number === 1 ? name : `${name}-${number}`);
    const topmost = await storage.createFolder(root);
    if (topmost === undefined) continue;
    const paths = runPaths(root);
    return { paths, topmost, claim: await claimRun(paths.incarnations, claimant) };
  }
}

/** What a run makes before the first line of its ledger, after its claim. */
export function unbornFiles({ config, vocabulary, ledger }: RunPaths): readonly string[] {
  return [vocabulary, config, ledger];
}

/** Refuses a folder that holds more than a run whose coordinator ended before the first ledger line. */
async function requireUnborn(storage: Storage, paths: RunPaths): Promise<void> {
  const { root, incarnations } = paths;
  const names = await namesIn(storage, root);
  if (await hasBegun(storage, paths)) {
    const what = "holds a run already; resume it with --resume, or name another folder";
    throw new RunError("runDirectoryInUse", `${root}: ${what}`);
  }
  // Without a claim, a file by such a name is not a run's but somebody's own.
  const isRuns = names.includes(basename(incarnations));
  const own = isRuns ? [incarnations, ...unbornFiles(paths)].map((path) => basename(path)) : [];
  const found = names.find((name) => !own.includes(name));
  if (found === undefined) return;
  throw new RunError(
    "runDirectoryInUse",
    `${root}: is not empty (${found}); name a new or empty folder`,
  );
}

const NEWLINE = 0x0a;

/** Whether the ledger has its first line: from then on a run is one, and goes on by a resume. */
export async function hasBegun(storage: Storage, { ledger }: RunPaths): Promise<boolean> {
  return (await storage.exists(ledger)) && (await storage.read(ledger)).includes(NEWLINE);
}

async function namesIn(storage: Storage, root: string): Promise<string[]> {
  try {
    return await storage.list(root);
  } catch (error) {
    throw new RunError("runDirectoryInUse", `${root}: is a file, not a folder`, { cause: error });
  }
}
