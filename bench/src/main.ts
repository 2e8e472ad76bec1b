/** Measures what the command line asks for. Loaded by bin/bench.js. */
import { relative } from "node:path";

import { BACKEND_NAMES } from "@ostinato/kernels/tensor";

import { readOptions } from "./command-line/index.js";
import { openScratchFolder, resultsFile } from "./program/index.js";
import { formatResults, formatTable, thisMachine, writeReport } from "./report/index.js";
import type { BenchReport, BenchTable, CaseResult } from "./report/index.js";
import { measureRow } from "./rows/index.js";
import { BenchError, findPyTorch, TORCH_VERSION } from "./sides/index.js";

const startedAt = new Date().toISOString();
const options = readOptions(process.argv.slice(2), {
  backends: BACKEND_NAMES,
  environment: process.env,
  outputByDefault: resultsFile("", startedAt),
});
const folder = openScratchFolder("ostinato-bench-");

const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const notes: string[] = [];
const caseResults: CaseResult[] = [];
const tables: BenchTable[] = [];
const machine = thisMachine();

try {
  const pytorch = options.peer === "pytorch" ? findPyTorch(options.python) : undefined;
  for (const row of options.rows) {
    tell(`bench: ${row} …`);
    await measureRow(row, {
      backends: options.backend,
      numThreads: options.threads,
      isQuick: options.quick,
      rounds: { rounds: options.rounds, seconds: options.seconds },
      ...{ pytorch, folder },
      isWanted: (name) => name.includes(options.cases),
      onNote(note) {
        notes.push(note);
        tell(`bench: ${note}`);
      },
      onTable: (table) => void tables.push(table),
      onResult(result) {
        caseResults.push(result);
        tell(`bench: ${row}, ${result.case}: done`);
      },
    });
  }
  const peer = pytorch === undefined ? null : { name: "pytorch", version: TORCH_VERSION };
  const { output, python: _python, ...asked } = options;
  writeReport(output, {
    format: 1,
    ...{ startedAt, machine, options: { ...asked, peer }, notes, results: caseResults, tables },
  } satisfies BenchReport);
  process.stdout.write(`${formatResults(caseResults)}\n`);
  for (const table of tables) process.stdout.write(`\n${formatTable(table)}\n`);
  process.stdout.write(`written to ${relative(process.cwd(), output)}\n`);
  process.exitCode = caseResults.length > 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  tell(`bench: ${error.message}`);
  process.exitCode = 1;
}
