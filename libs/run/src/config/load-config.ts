/** A config file → what it configures: a run, or a task to diagnose. */

import { RunError } from "../errors/index.js";
import { compileConfig } from "./compile-config.js";
import { inWords, valueAt } from "./config-issues.js";
import type { RunConfig } from "./schema.js";
import { readConfigDocument } from "./source/index.js";
import type { LoadConfigOptions } from "./source/index.js";
import { compileTaskConfig, isTaskKind, TASK_KINDS } from "./task/index.js";
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

/** What `ostinato diagnose` takes, discriminated by its `kind`. */
export type DiagnosisConfig =
  | { readonly kind: "run"; readonly config: RunConfig }
  | { readonly kind: "task"; readonly config: TaskConfig };

/**
 * Reads the config of a run or, where `data.kind` names one, of a task.
 *
 * @throws RunError as {@link loadConfig}
 */
export async function loadDiagnosisConfig(options: LoadConfigOptions): Promise<DiagnosisConfig> {
  const { raw, directory, locate } = await readConfigDocument(options);
  const path = ["data", "kind"];
  const kind = valueAt(raw, path);
  if (isTaskKind(kind)) return { kind: "task", config: compileTaskConfig(raw, locate) };
  if (typeof kind === "string" && kind !== "text") {
    const allowed = ["text", ...TASK_KINDS].map((name) => `'${name}'`);
    const listed = `${allowed.slice(0, -1).join(", ")} or ${String(allowed.at(-1))}`;
    const told = `data.kind: ${inWords(kind)} is not ${listed}`;
    throw new RunError("outOfRange", `${locate(path)}: ${told}`);
  }
  return { kind: "run", config: compileConfig(raw, options.file, { directory, locate }) };
}
