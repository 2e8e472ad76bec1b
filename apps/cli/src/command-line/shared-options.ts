/** Options that several commands have, and what they must agree on. */

import type { Command } from "commander";
import { Option } from "commander";

import { keyValue } from "./arguments.js";
import type { TrainOptions } from "./options.js";

export const CONFIG = "run config, a YAML file (default with --resume: the run's own)";

/** A new run needs a config, one that goes on its directory. */
export function requireRun(
  { config, resume, runDir }: Pick<TrainOptions, "config" | "resume" | "runDir">,
  command: Command,
): void {
  if (!resume && config === undefined) command.error("error: missing required argument 'config'");
  if (resume && runDir === undefined) {
    command.error("error: --resume needs --run-dir, the run directory to go on in");
  }
}

export function setOption(): Option {
  return new Option("--set <key=value...>", "change keys of the config")
    .argParser(keyValue)
    .default([], "none");
}
