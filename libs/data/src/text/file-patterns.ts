import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import { glob, isDynamicPattern } from "tinyglobby";

import { DataError } from "../data-error.js";
import {
  findPackageDirectory,
  NPM_PREFIX,
  parsePackagePattern,
  requireInside,
} from "./npm-package.js";

/** A fixed locale: the order of the files is part of the data. */
const naturalOrder = new Intl.Collator("en", { numeric: true });

/** chapter_2 before chapter_10. */
export function compareNaturally(left: string, right: string): number {
  // The collator takes 01 and 1 for equal; the order must be total all the same.
  return naturalOrder.compare(left, right) || (left < right ? -1 : left > right ? 1 : 0);
}

/**
 * The files of one pattern as absolute paths in natural order; never none.
 *
 * @param pattern a path, a glob or `npm:PACKAGE/PATTERN`; a file of that very name goes before a glob
 * @throws DataError 'fileNotFound' | 'unreadable' | 'invalidPattern' | 'packageNotFound'
 */
export async function findFiles(pattern: string, baseDirectory: string): Promise<string[]> {
  if (!pattern.startsWith(NPM_PREFIX)) return matchFiles(pattern, baseDirectory);
  const { packageName, pattern: inside } = parsePackagePattern(pattern);
  const directory = await findPackageDirectory(packageName, baseDirectory);
  const files = await matchFiles(inside, directory);
  for (const file of files) await requireInside(file, directory, pattern);
  return files;
}

async function matchFiles(pattern: string, directory: string): Promise<string[]> {
  const path = resolve(directory, pattern);
  if (await isFile(path)) return [path];
  const files = isDynamicPattern(pattern)
    ? await glob(pattern, { cwd: directory, absolute: true, expandDirectories: false })
    : [];
  if (files.length === 0) {
    throw new DataError("fileNotFound", `no file matches "${pattern}" in ${directory}`, {
      pattern,
      directory,
    });
  }
  return files.map((file) => resolve(file)).sort(compareNaturally);
}

/** Whether a path is a file; false if nothing is there, an error if it is something else. */
async function isFile(path: string): Promise<boolean> {
  let stats;
  try {
    stats = await stat(path);
  } catch (error) {
    if (ABSENT.has(codeOf(error))) return false;
    throw unreadable(path, error);
  }
  if (stats.isFile()) return true;
  const what = stats.isDirectory()
    ? "is a folder; name a file, or files by a pattern such as FOLDER/*.txt"
    : "is not a regular file";
  throw new DataError("unreadable", `${path} ${what}`, { file: path });
}

const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/** The error of a file that the system refuses to read, with the system's reason. */
export function unreadable(file: string, cause: unknown): DataError {
  return new DataError(
    "unreadable",
    `${file} cannot be read (${codeOf(cause)})`,
    { file },
    { cause },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
