/** A run directory: where everything of one training is, and how it comes into being. */

import { basename, dirname, resolve } from "node:path";

import type { PairVocabularies, Vocabulary } from "@ostinato/data";
import { stringify } from "yaml";

import { loadConfig } from "../config/index.js";
import type { RunConfig } from "../config/index.js";
import { RunError } from "../errors/index.js";
import type { Claimant, RunClaim } from "../incarnation/index.js";
import { FileStorage, guardStorage } from "../storage/index.js";
import type { Storage } from "../storage/index.js";
import { decodeRunEnd, encodeRunEnd } from "./end-record.js";
import type { RunEnd } from "./end-record.js";
import { claimNamed, claimUnnamed, hasBegun, unbornFiles } from "./new-folder.js";
import { runPaths } from "./run-paths.js";
import type { RunPaths } from "./run-paths.js";
import {
  decodePairVocabularies,
  decodeVocabulary,
  encodeVocabulary,
  hasVocabulary,
  vocabularySha256,
} from "./vocabulary-file.js";

/** One run's files. What writes throws RunError 'incarnationLost' once another coordinator has the directory. */
export interface RunDirectory {
  readonly paths: RunPaths;
  readonly storage: Storage;
  /** As it stands in config.yaml. */
  readonly config: RunConfig;
  /** Of a text; null for other data. */
  readonly vocabulary: Vocabulary | null;
  /** Of both sides of pairs; null for other data. */
  readonly pairVocabularies: PairVocabularies | null;
  /** SHA-256 (hex) of vocabulary.json; null where there is none. */
  readonly vocabularySha256: string | null;
  /** Replaces config.yaml, for a resume with other operational keys. */
  writeConfig(config: RunConfig): Promise<void>;
  /**
   * What end.json says; undefined while a run has not come to its end.
   *
   * @throws RunError 'endRecordDamaged' | 'storageFailed'
   */
  readEnd(): Promise<RunEnd | undefined>;
  /** Marks the run as ended, once the ledger's end record is synced. */
  writeEnd(end: RunEnd): Promise<void>;
}

/** A run directory that was just created. */
export interface NewRunDirectory extends RunDirectory {
  readonly claim: RunClaim;
  /** Takes back the creation, with ledger and claim, if the run cannot start after all. */
  discard(): Promise<void>;
}

export interface CreateRunDirectoryOptions {
  /** The directory; undefined: `<runsFolder>/<config.name>-<startedAt>`, numbered if that exists. */
  readonly path: string | undefined;
  /** Where unnamed run directories go. Default `runs`. */
  readonly runsFolder?: string;
  readonly config: RunConfig;
  /** The symbols of a text by token id, or the vocabularies of pairs; null for data without symbols. */
  readonly symbols: readonly string[] | PairVocabularies | null;
  readonly startedAt: Date;
  readonly claimant: Claimant;
  readonly storage?: Storage;
}

/**
 * Creates a run directory with its claim, config and vocabulary (if it has one), or nothing at all. The
 * claim is first: of two who start in the same folder, one finds it claimed and leaves it alone.
 *
 * @throws RunError 'runDirectoryInUse' if `path` holds anything but a run that never came to its first
 *   ledger line, 'storageFailed'
 */
export async function createRunDirectory(
  options: CreateRunDirectoryOptions,
): Promise<NewRunDirectory> {
  const { path, runsFolder = "runs", config, symbols, startedAt, claimant } = options;
  const storage = options.storage ?? new FileStorage();
  const name = `${config.name}-${timestamp(startedAt)}`;
  const { paths, topmost, claim } =
    path === undefined
      ? await claimUnnamed(storage, runsFolder, name, claimant)
      : await claimNamed(storage, path, claimant);
  const guarded = guardStorage(storage, () => claim.requireHeld());
  const discard = async (): Promise<void> => {
    try {
      for (const file of unbornFiles(paths)) await guarded.remove(file);
      // While it is held: whoever claims the folder meanwhile finds the claim, or none and no folder for one.
      await guarded.remove(paths.incarnations);
    } catch (error) {
      // A process that slept so long that another one has the folder: what is there is that one's.
      if (!(error instanceof RunError) || error.code !== "incarnationLost") throw error;
      claim.release();
      return;
    }
    claim.release();
    if (topmost !== undefined) await removeEmpty(storage, resolve(paths.root), topmost);
  };
  try {
    const vocabulary = symbols && encodeVocabulary(symbols);
    if (vocabulary !== null) await guarded.write(paths.vocabulary, vocabulary);
    await guarded.write(paths.config, encodeConfig(config));
    return { ...describe(guarded, paths, config, vocabulary), claim, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/**
 * Opens the directory of a run that has begun.
 *
 * @throws RunError 'notARun', 'vocabularyDamaged', 'storageFailed', and what `loadConfig` throws
 */
export async function openRunDirectory(
  path: string,
  storage: Storage = new FileStorage(),
): Promise<RunDirectory> {
  const paths = runPaths(path);
  const requireFile = async (file: string): Promise<void> => {
    if (await storage.exists(file)) return;
    const hint = (await storage.exists(paths.incarnations)) ? NEVER_BEGAN : "";
    throw notARun(path, `there is no ${basename(file)}${hint}`);
  };
  await requireFile(paths.config);
  await requireFile(paths.ledger);
  if (!(await hasBegun(storage, paths))) {
    throw notARun(path, `there is no line in ${basename(paths.ledger)}${NEVER_BEGAN}`);
  }
  const config = await loadConfig({ file: paths.config });
  if (!hasVocabulary(config)) return describe(storage, paths, config, null);
  await requireFile(paths.vocabulary);
  return describe(storage, paths, config, await storage.read(paths.vocabulary));
}

const NEVER_BEGAN = "; its coordinator ended before it began: start it again, without --resume";

function notARun(path: string, reason: string): RunError {
  return new RunError("notARun", `${path}: holds no run: ${reason}`);
}

function describe(
  storage: Storage,
  paths: RunPaths,
  config: RunConfig,
  vocabulary: Uint8Array | null,
): RunDirectory {
  const isOfPairs = config.data.kind === "pairs";
  return {
    paths,
    storage,
    config,
    vocabulary: isOfPairs ? null : vocabulary && decodeVocabulary(vocabulary, paths.vocabulary),
    pairVocabularies: isOfPairs
      ? vocabulary && decodePairVocabularies(vocabulary, paths.vocabulary)
      : null,
    vocabularySha256: vocabulary && vocabularySha256(vocabulary),
    writeConfig: (changed) => storage.write(paths.config, encodeConfig(changed)),
    readEnd: async () =>
      (await storage.exists(paths.end))
        ? decodeRunEnd(await storage.read(paths.end), paths.end)
        : undefined,
    writeEnd: (end) => storage.write(paths.end, encodeRunEnd(end)),
  };
}

/** Removes a folder and its parents up to `topmost`, as far as they are empty. */
async function removeEmpty(storage: Storage, folder: string, topmost: string): Promise<void> {
  if ((await storage.list(folder)).length > 0) return;
  await storage.remove(folder);
  if (folder !== topmost) await removeEmpty(storage, dirname(folder), topmost);
}

/** UTC to the second, without the colons that some file systems refuse: `20261124T031509Z`. */
function timestamp(date: Date): string {
  return date.toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function encodeConfig(config: RunConfig): Uint8Array {
  return Buffer.from(stringify(config));
}
