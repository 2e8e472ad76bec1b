/** Options that several commands have, and what they must agree on. */

import type { Command } from "commander";
import { Option } from "commander";

import { keyValue } from "./arguments.js";

/** A resumed run is in a directory that is there. */
export function requireRunDir(
  { resume, runDir }: { readonly resume: boolean; readonly runDir: string | undefined },
  command: Command,
): void {
  if (resume && runDir === undefined) {
    command.error("error: --resume needs --run-dir, the run directory to go on in");
  }
}

export function setOption(): Option {
  return new Option("--set <key=value...>", "change keys of the config")
    .argParser(keyValue)
    .default([], "none");
}
