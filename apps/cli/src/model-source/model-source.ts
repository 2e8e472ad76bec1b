/** CONFIG|RUN → what it is. */

import { stat } from "node:fs/promises";

import { loadRunOrTaskConfig, openRunDirectory } from "@ostinato/run";
import type { RunConfig, RunDirectory, TaskConfig } from "@ostinato/run";

import { CliError } from "../errors/index.js";

/** Where a model comes from, discriminated by its `kind`. */
export type ModelSource =
  | { readonly kind: "run"; readonly config: RunConfig }
  | { readonly kind: "task"; readonly config: TaskConfig }
  /** A run that has begun, finished or not. */
  | { readonly kind: "runDirectory"; readonly run: RunDirectory };

export interface ModelSourceRequest {
  /** Of a config file or a run directory. */
  readonly path: string;
  /** `key=value` each. */
  readonly overrides: readonly string[];
}

/**
 * Reads a config, or opens the directory of a run.
 *
 * @throws RunError as `loadRunOrTaskConfig` and `openRunDirectory`; CliError 'usage' for overrides of a run
 */
export async function openModelSource({
  path,
  overrides,
}: ModelSourceRequest): Promise<ModelSource> {
  if (!(await isRunDirectory(path))) return loadRunOrTaskConfig({ file: path, overrides });
  requireNoOverrides(path, "--set", overrides);
  return { kind: "runDirectory", run: await openRunDirectory(path) };
}

/** Whether a path leads to a folder: a config is a file. */
export async function isRunDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // What reads it as a config says what is wrong.
    return false;
  }
}

/** @throws CliError 'usage' */
export function requireNoOverrides(
  path: string,
  option: string,
  overrides: readonly string[],
): void {
  const [first] = overrides;
  if (first === undefined) return;
  throw new CliError(
    "usage",
    `${option} ${first}: ${path} is a run directory, and a run keeps its config; give a config instead`,
  );
}
