/** `--set` as it reads from where the command is given. */

import { resolve } from "node:path";

import { parseOverride } from "@ostinato/run";

/**
 * Makes paths in `--set` start from a folder instead of the config's: `data.baseDirectory` becomes
 * absolute, and `data.files` is looked up from the folder. An `npm:` pattern is left to the config.
 *
 * @param folder absolute, such as the present one
 * @throws RunError 'badOverride'
 */
export function resolveOverrides(overrides: readonly string[], folder: string): readonly string[] {
  const resolved = overrides.map((override) => {
    const path = valueOf(override, "data.baseDirectory");
    return typeof path === "string" ? baseDirectory(resolve(folder, path)) : override;
  });
  const files = overrides
    .map((override) => valueOf(override, "data.files"))
    .findLast((value) => value !== undefined);
  const isFromHere = files !== undefined && ![files].flat().some(isInPackage);
  const hasBase = overrides.some(
    (override) => valueOf(override, "data.baseDirectory") !== undefined,
  );
  return isFromHere && !hasBase ? [...resolved, baseDirectory(folder)] : resolved;
}

function valueOf(override: string, key: string): unknown {
  const { path, value } = parseOverride(override);
  return path.join(".") === key ? value : undefined;
}

function isInPackage(pattern: unknown): boolean {
  return typeof pattern === "string" && pattern.startsWith("npm:");
}

/** Quoted: a folder's name may hold what means something in YAML. */
function baseDirectory(path: string): string {
  return `data.baseDirectory=${JSON.stringify(path)}`;
}
