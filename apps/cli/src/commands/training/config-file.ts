import { openRunDirectory } from "@ostinato/run";

import type { TrainOptions } from "../../command-line/index.js";

/**
 * The config to begin with: the one that was given, else, to resume, the run's own, which has the `--set` of the
 * run's start in it.
 *
 * @throws RunError 'notARun', and what reading throws
 */
export async function configFileOf({
  config,
  runDir,
}: Pick<TrainOptions, "config" | "runDir">): Promise<string> {
  if (config !== undefined) return config;
  // The command line asks for one of the two.
  return (await openRunDirectory(runDir ?? "")).paths.config;
}
