/** A run directory: where everything of one training is, and how it comes into being. */

import { basename, dirname, join, resolve } from "node:path";

import type { Vocabulary } from "@ostinato/data";
import { stringify } from "yaml";

import { loadConfig } from "../config/index.js";
import type { RunConfig } from "../config/index.js";
import { RunError } from "../errors/index.js";
import { FileStorage } from "../storage/index.js";
import type { Storage } from "../storage/index.js";
import { decodeRunEnd, encodeRunEnd } from "./end-record.js";
import type { RunEnd } from "./end-record.js";
import { runPaths } from "./run-paths.js";
import type { RunPaths } from "./run-paths.js";
import { decodeVocabulary, encodeVocabulary, vocabularySha256 } from "./vocabulary-file.js";

/** One run's files. */
export interface RunDirectory {
  readonly paths: RunPaths;
  readonly storage: Storage;
  /** As it stands in config.yaml. */
  readonly config: RunConfig;
  readonly vocabulary: Vocabulary;
  /** SHA-256 (hex) of vocabulary.json. */
  readonly vocabularySha256: string;
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
  /** Takes back the creation, with all that is in the directory, if the run cannot start after all. */
  discard(): Promise<void>;
}

export interface CreateRunDirectoryOptions {
  /** The directory; undefined: `<runsFolder>/<config.name>-<startedAt>`, numbered if that exists. */
  readonly path: string | undefined;
  /** Where unnamed run directories go. Default `runs`. */
  readonly runsFolder?: string;
  readonly config: RunConfig;
  /** The symbols of the data set, by token id. */
  readonly symbols: readonly string[];
  readonly startedAt: Date;
  readonly storage?: Storage;
}

/**
 * Creates a run directory with its config and vocabulary, or nothing at all.
 *
 * @throws RunError 'runDirectoryInUse' if `path` holds anything, 'storageFailed'
 */
export async function createRunDirectory(
  options: CreateRunDirectoryOptions,
): Promise<NewRunDirectory> {
  const { path, runsFolder = "runs", config, symbols, startedAt } = options;
  const storage = options.storage ?? new FileStorage();
  const { root, topmost } =
    path === undefined
      ? await createUnnamed(storage, runsFolder, `${config.name}-${timestamp(startedAt)}`)
      : await createNamed(storage, path);
  const paths = runPaths(root);
  const discard = async (): Promise<void> => {
    for (const name of await storage.list(root)) await storage.remove(join(root, name));
    if (topmost !== undefined) await removeEmpty(storage, resolve(root), topmost);
  };
  try {
    const vocabulary = encodeVocabulary(symbols);
    await storage.write(paths.vocabulary, vocabulary);
    await storage.write(paths.config, encodeConfig(config));
    return { ...describe(storage, paths, config, vocabulary), discard };
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
  for (const name of ["config", "vocabulary", "ledger"] as const) {
    if (await storage.exists(paths[name])) continue;
    throw new RunError("notARun", `${path}: holds no run: there is no ${basename(paths[name])}`);
  }
  const config = await loadConfig({ file: paths.config });
  return describe(storage, paths, config, await storage.read(paths.vocabulary));
}

function describe(
  storage: Storage,
  paths: RunPaths,
  config: RunConfig,
  vocabulary: Uint8Array,
): RunDirectory {
  return {
    paths,
    storage,
    config,
    vocabulary: decodeVocabulary(vocabulary, paths.vocabulary),
    vocabularySha256: vocabularySha256(vocabulary),
    writeConfig: (changed) => storage.write(paths.config, encodeConfig(changed)),
    readEnd: async () =>
      (await storage.exists(paths.end))
        ? decodeRunEnd(await storage.read(paths.end), paths.end)
        : undefined,
    writeEnd: (end) => storage.write(paths.end, encodeRunEnd(end)),
  };
}

interface CreatedFolder {
  readonly root: string;
  /** The topmost folder that had to be created, absolute; undefined if `root` was there already. */
  readonly topmost: string | undefined;
}

/** An empty folder that is there already will do, and stays if the creation is taken back. */
async function createNamed(storage: Storage, root: string): Promise<CreatedFolder> {
  const topmost = await storage.createFolder(root);
  if (topmost === undefined) {
    const [found] = await namesIn(storage, root);
    if (found !== undefined) {
      const held = (await storage.exists(runPaths(root).ledger))
        ? "holds a run already; resume it with --resume, or name another folder"
        : `is not empty (${found}); name a new or empty folder`;
      throw new RunError("runDirectoryInUse", `${root}: ${held}`);
    }
  }
  return { root, topmost };
}

async function namesIn(storage: Storage, root: string): Promise<string[]> {
  try {
    return await storage.list(root);
  } catch (error) {
    throw new RunError("runDirectoryInUse", `${root}: is a file, not a folder`, { cause: error });
  }
}

async function createUnnamed(
  storage: Storage,
  runsFolder: string,
  name: string,
): Promise<CreatedFolder> {
  for (let number = 1; ; number++) {
    const root = join(runsFolder, number === 1 ? name : `${name}-${number}`);
    const topmost = await storage.createFolder(root);
    if (topmost !== undefined) return { root, topmost };
  }
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
