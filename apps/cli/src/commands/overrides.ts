/** `--set` as it reads from where the command is given. */

import { resolve } from "node:path";

/**
 * Makes paths in `--set` start from a folder instead of the config's: `data.baseDirectory` becomes
 * absolute, and `data.files` is looked up from the folder. An `npm:` pattern is left to the config.
 *
 * @param folder absolute, such as the present one
 */
export function resolveOverrides(overrides: readonly string[], folder: string): readonly string[] {
  const resolved = overrides.map((override) => {
    const path = valueOf(override, "data.baseDirectory");
    return path === undefined ? override : baseDirectory(resolve(folder, path));
  });
  const files = overrides.findLast((override) => valueOf(override, "data.files") !== undefined);
  const isFromHere = files !== undefined && !files.includes("npm:");
  const hasBase = overrides.some(
    (override) => valueOf(override, "data.baseDirectory") !== undefined,
  );
  return isFromHere && !hasBase ? [...resolved, baseDirectory(folder)] : resolved;
}

function valueOf(override: string, key: string): string | undefined {
  return override.startsWith(`${key}=`) ? override.slice(key.length + 1) : undefined;
}

/** Without quotes: the override is resolved again by the process that it is passed on to. */
function baseDirectory(path: string): string {
  return `data.baseDirectory=${path}`;
}
