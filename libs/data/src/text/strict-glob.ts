import { readdir, realpath, stat } from "node:fs";
import type { Dirent, Stats } from "node:fs";
import { stat as statOf } from "node:fs/promises";
import { resolve } from "node:path";

import { glob } from "tinyglobby";
import type { FileSystemAdapter } from "tinyglobby";

import { DataError } from "../data-error.js";
import { isAbsent, unreadable } from "./unreadable.js";

/**
 * The regular files that a glob matches, as absolute paths in no particular order. What tinyglobby
 * would pass over in silence is an error here, as a part of the text would be missing: a folder on
 * the way that may not be read, and a symbolic link that matches but leads nowhere.
 *
 * @throws DataError 'unreadable' naming the file or folder
 */
export async function strictGlob(pattern: string, directory: string): Promise<string[]> {
  const refused: { folder: string; error: Error }[] = [];
  const found = await glob(pattern, {
    cwd: directory,
    absolute: true,
    expandDirectories: false,
    fs: observed((folder, error) => refused.push({ folder, error })),
  });
  const [first] = refused;
  if (first !== undefined) throw unreadable(resolve(first.folder), first.error);
  const files = found.map((file) => resolve(file));
  for (const file of files) await requireRegular(file);
  return files;
}

type Callback<T> = (error: Error | null, value?: T) => void;

/** The calls of node:fs that the glob makes, each in the one form in which it makes it. */
interface GlobFileSystem {
  readdir(folder: string, options: { withFileTypes: true }, done: Callback<Dirent[]>): void;
  realpath(path: string, done: Callback<string>): void;
  stat(path: string, done: Callback<Pick<Stats, "isDirectory">>): void;
}

/**
 * The file system as the glob sees it: failures to list a folder are reported, and a link that
 * cannot be resolved stands for a file, which then is matched by its own name.
 */
function observed(report: (folder: string, error: Error) => void): FileSystemAdapter {
  const calls: GlobFileSystem = {
    readdir: (folder, options, done) => {
      readdir(folder, options, (error, entries) => {
        if (error !== null && !isAbsent(error)) report(folder, error);
        done(error, entries);
      });
    },
    realpath: (path, done) => {
      realpath(path, (error, resolved) => done(null, error === null ? resolved : path));
    },
    stat: (path, done) => {
      stat(path, (error, stats) => done(null, error === null ? stats : UNRESOLVED));
    },
  };
  return calls as unknown as FileSystemAdapter;
}

const UNRESOLVED = { isDirectory: () => false };

async function requireRegular(file: string): Promise<void> {
  let stats;
  try {
    stats = await statOf(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  if (stats.isFile()) return;
  throw new DataError("unreadable", `${JSON.stringify(file)} is not a regular file`, { file });
}
