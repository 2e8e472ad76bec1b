/** A config file → what it configures: a run, or a model and a task. */

import { RunError } from "../errors/index.js";
import { compileConfig } from "./compile-config.js";
import { inWords, valueAt } from "./config-issues.js";
import type { RunConfig } from "./schema.js";
import { readConfigDocument } from "./source/index.js";
import type { LoadConfigOptions } from "./source/index.js";
import {
  ALL_DATA_KINDS,
  compileTaskConfig,
  isTaskKind,
  listed,
  RUN_DATA_KINDS,
} from "./task/index.js";
import type { TaskConfig } from "./task/index.js";

/**
 * Reads a run config. A relative `data.baseDirectory` becomes absolute, from the file's folder.
 *
 * @throws RunError 'configNotFound' | 'configSyntax' | 'badOverride', and what `compileConfig` throws
 */
export async function loadConfig(options: LoadConfigOptions): Promise<RunConfig> {
  const { raw, directory, locate } = await readConfigDocument(options);
  return compileConfig(raw, options.file, { directory, locate });
}

/** What has a model and something to train it on, discriminated by its `kind`. */
export type RunOrTaskConfig =
  | { readonly kind: "run"; readonly config: RunConfig }
  | { readonly kind: "task"; readonly config: TaskConfig };

/**
 * Reads the config of a run or, where `data.kind` names one, of a task.
 *
 * @throws RunError as {@link loadConfig}
 */
export async function loadRunOrTaskConfig(options: LoadConfigOptions): Promise<RunOrTaskConfig> {
  const { raw, directory, locate } = await readConfigDocument(options);
  const path = ["data", "kind"];
  const kind = valueAt(raw, path);
  if (isTaskKind(kind)) return { kind: "task", config: compileTaskConfig(raw, locate) };
  if (typeof kind === "string" && !RUN_DATA_KINDS.includes(kind)) {
    const told = `data.kind: ${inWords(kind)} is not ${listed(ALL_DATA_KINDS)}`;
    throw new RunError("outOfRange", `${locate(path)}: ${told}`);
  }
  return { kind: "run", config: compileConfig(raw, options.file, { directory, locate }) };
}
