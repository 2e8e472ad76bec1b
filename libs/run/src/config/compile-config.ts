/** Raw values → run config: checked, every default filled in, frozen. */

import { resolve } from "node:path";

import { RunError } from "../errors/index.js";
import { checkedConfig, inWords, valueAt } from "./config-issues.js";
import type { Path } from "./config-issues.js";
import { brokenRule } from "./rules.js";
import { runConfigSchema } from "./schema.js";
import type { RunConfig } from "./schema.js";
import { isTaskKind, listed, RUN_DATA_KINDS } from "./task/index.js";

export interface CompileOptions {
  /** What a relative `data.baseDirectory` starts from; as it stands if left out. */
  readonly directory?: string;
  /** Names the place of a key, such as `lstm.yaml:12`; by default `where` for every key. */
  readonly locate?: (path: Path) => string;
}

/**
 * Checks a raw config and fills in the defaults.
 *
 * @param where names the source in messages, such as the file
 * @throws RunError 'unknownKey' | 'missingKey' | 'wrongType' | 'outOfRange', with one line such as
 *   `lstm.yaml:12: training.microShards: 6 is not a power of two between 1 and 1024`
 */
export function compileConfig(
  raw: unknown,
  where: string,
  options: CompileOptions = {},
): RunConfig {
  const place = options.locate ?? (() => where);
  requireRun(raw, place);
  const config = checkedConfig({ schema: runConfigSchema, brokenRule }, raw, place);
  const { directory } = options;
  if (directory === undefined) return config;
  const baseDirectory = resolve(directory, config.data.baseDirectory);
  return Object.freeze({ ...config, data: Object.freeze({ ...config.data, baseDirectory }) });
}

/** A task is no run: everything else in its config would be called wrong before that is said. */
function requireRun(raw: unknown, place: (path: Path) => string): void {
  const path = ["data", "kind"];
  const kind = valueAt(raw, path);
  if (!isTaskKind(kind)) return;
  const told = `data.kind: ${inWords(kind)} is a task for \`ostinato diagnose\`; a run takes ${listed(RUN_DATA_KINDS)}`;
  throw new RunError("outOfRange", `${place(path)}: ${told}`);
}
