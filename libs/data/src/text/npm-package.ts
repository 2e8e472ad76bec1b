import { realpath, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { isAbsolute, join, resolve, sep } from "node:path";

import { DataError } from "../data-error.js";

export const NPM_PREFIX = "npm:";

const SPECIFIER = /^npm:(?<name>(?:@[\w.~-]+\/)?[\w~-][\w.~-]*)\/(?<pattern>.+)$/s;

/** Files inside an installed package. */
export interface PackagePattern {
  readonly packageName: string;
  /** A path or glob relative to the package's folder. */
  readonly pattern: string;
}

/**
 * Takes `npm:@scope/name/pattern` apart.
 *
 * @throws DataError 'invalidPattern'
 */
export function parsePackagePattern(specifier: string): PackagePattern {
  const groups = SPECIFIER.exec(specifier)?.groups;
  const packageName = groups?.["name"];
  const pattern = groups?.["pattern"];
  if (packageName === undefined || pattern === undefined) {
    throw new DataError(
      "invalidPattern",
      `${JSON.stringify(specifier)} names no files of a package; write npm:PACKAGE/PATTERN, such as npm:@scope/book/data/*.txt`,
      { pattern: specifier },
    );
  }
  if (isAbsolute(pattern) || pattern.split(/[/\\]/).includes("..")) throw leaves(specifier);
  return { packageName, pattern };
}

/**
 * The folder of a package as Node would find it from `baseDirectory`: the folders named node_modules
 * are walked upward, so that a package need not export anything.
 *
 * @throws DataError 'packageNotFound'
 */
export async function findPackageDirectory(
  packageName: string,
  baseDirectory: string,
): Promise<string> {
  const require = createRequire(join(resolve(baseDirectory), "package.json"));
  // With a subpath, since the bare name of a built-in module has no paths.
  for (const folder of require.resolve.paths(`${packageName}/package.json`) ?? []) {
    const directory = join(folder, packageName);
    if (await isDirectory(directory)) return directory;
  }
  throw new DataError(
    "packageNotFound",
    `package ${packageName} is not installed in ${JSON.stringify(baseDirectory)} or above; npm install ${packageName}`,
    { packageName, baseDirectory },
  );
}

/**
 * Refuses a file that a symbolic link or a glob leads out of its package.
 *
 * @throws DataError 'invalidPattern'
 */
export async function requireInside(
  file: string,
  directory: string,
  specifier: string,
): Promise<void> {
  const [realFile, realDirectory] = await Promise.all([realpath(file), realpath(directory)]);
  if (!realFile.startsWith(realDirectory + sep)) throw leaves(specifier);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function leaves(specifier: string): DataError {
  return new DataError(
    "invalidPattern",
    `${JSON.stringify(specifier)} leads out of its package; only files inside it are allowed`,
    { pattern: specifier },
  );
}
