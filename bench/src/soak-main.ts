/** Watches the memory of clusters. Loaded by bin/soak.js. */
import { relative } from "node:path";

import { BACKEND_NAMES } from "@ostinato/kernels/tensor";
import { Command, Option } from "commander";

import { openScratchFolder, resultsFile } from "./program/index.js";
import { thisMachine, writeReport } from "./report/index.js";
import { BenchError } from "./sides/index.js";
import { formatSoakTable, soak, soakCases } from "./soak/index.js";
import type { SoakResult } from "./soak/index.js";

const startedAt = new Date().toISOString();
const program = new Command("npm run soak --")
  .description("Trains for many steps and watches the memory of coordinator and workers.")
  .option("--cases <text>", "only cases whose name contains it", "")
  .addOption(
    new Option("--backend <name>", "of the workers").choices(BACKEND_NAMES).default("native"),
  )
  .option("--quick", "few steps of a small model: whether it works, not how much grows", false)
  .option("--output <path>", "where the JSON goes", resultsFile("soak-", startedAt))
  .showSuggestionAfterError()
  .parse();
const options = program.opts<{
  readonly cases: string;
  readonly backend: string;
  readonly quick: boolean;
  readonly output: string;
}>();

const folder = openScratchFolder("ostinato-soak-");

const machine = thisMachine();
const soaked: SoakResult[] = [];
try {
  const { backend, output, cases, quick } = options;
  for (const one of soakCases(quick)) {
    if (!one.name.includes(cases)) continue;
    process.stderr.write(`soak: ${one.name}, ${one.numWorkers} workers …\n`);
    soaked.push(await soak(one, { backend, folder }));
    // After each: what was measured in minutes is not lost with a later case.
    writeReport(output, {
      ...{ format: 1, startedAt, machine },
      options: { backend, cases, quick },
      results: soaked,
    });
  }
  if (soaked.length === 0) {
    throw new BenchError("invalidOption", `no case has '${cases}' in its name`);
  }
  process.stdout.write(`${formatSoakTable(soaked)}\n`);
  process.stdout.write(`written to ${relative(process.cwd(), output)}\n`);
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  process.stderr.write(`soak: ${error.message}\n`);
  process.exitCode = 1;
}
