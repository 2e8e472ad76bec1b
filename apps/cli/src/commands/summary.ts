import { formatSummary } from "@ostinato/lstm";

import type { SummaryOptions } from "../command-line/index.js";
import { openModelSource, summaryOf } from "../model-source/index.js";
import { resolveOverrides } from "./arguments/index.js";
import type { Terminal } from "./terminal.js";

/** `ostinato summary`: layers, shapes, parameters and memory of a config's or a run's model. */
export async function summary(
  { source: path, set, json }: SummaryOptions,
  { stdout, folder }: Terminal,
): Promise<number> {
  const overrides = resolveOverrides(set, folder);
  const found = await summaryOf(await openModelSource({ path, overrides }), path);
  stdout.write(
    json
      ? `${JSON.stringify({ event: "summary", source: path, ...found })}\n`
      : formatSummary(found),
  );
  return 0;
}
