import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import { isDynamicPattern } from "tinyglobby";

import { DataError } from "../data-error.js";
import { compareNaturally } from "./natural-order.js";
import {
  findPackageDirectory,
  NPM_PREFIX,
  parsePackagePattern,
  requireInside,
} from "./npm-package.js";
import { strictGlob } from "./strict-glob.js";
import { isAbsent, unreadable } from "./unreadable.js";

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
  const files = isDynamicPattern(pattern) ? await strictGlob(pattern, directory) : [];
  if (files.length === 0) {
    throw new DataError(
      "fileNotFound",
      `no file matches ${JSON.stringify(pattern)} in ${JSON.stringify(directory)}`,
      { pattern, directory },
    );
  }
  return files.sort(compareNaturally);
}

/** Whether a path is a file; false if nothing is there, an error if it is something else. */
async function isFile(path: string): Promise<boolean> {
  let stats;
  try {
    stats = await stat(path);
  } catch (error) {
    if (isAbsent(error)) return false;
    throw unreadable(path, error);
  }
  if (stats.isFile()) return true;
  const what = stats.isDirectory()
    ? "is a folder; name a file, or files by a pattern such as FOLDER/*.txt"
    : "is not a regular file";
  throw new DataError("unreadable", `${JSON.stringify(path)} ${what}`, { file: path });
}
