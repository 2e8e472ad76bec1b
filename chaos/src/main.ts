/** Plays schedules, and says what broke. Loaded by bin/chaos.js. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readOptions } from "./command-line/index.js";
import { CATALOGUE } from "./faults/index.js";
import { findMutation } from "./mutations/index.js";
import { describeFault, drawSchedule } from "./schedule/index.js";
import { createTrial } from "./trial/index.js";
import { addFigures, NO_FIGURES } from "./validator/index.js";

const options = readOptions(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "ostinato-chaos-"));
const mutation = options.mutation === undefined ? undefined : findMutation(options.mutation);
const trial = createTrial({ folder });
const tell = (line: string): void => void process.stdout.write(`${line}\n`);

const startMs = performance.now();
const isTimeLeft = (played: number): boolean =>
  options.minutes === undefined
    ? played < options.schedules
    : performance.now() - startMs < options.minutes * 60_000;

let numFaults = 0;
let figures = NO_FIGURES;
const broken: number[] = [];
let played = 0;
for (; isTimeLeft(played); played++) {
  const drawn = drawSchedule(options.seed + played, CATALOGUE);
  const { only } = options;
  const faults = drawn.faults.filter(({ kind }) => only.length === 0 || only.includes(kind));
  const schedule = { ...drawn, faults };
  tell(
    `seed ${schedule.seed}: ${schedule.run}, ${schedule.workers} workers${schedule.isEncrypted ? ", encrypted" : ""}`,
  );
  for (const fault of faults) tell(`  ${describeFault(fault)}`);
  const result = await trial.run(schedule, mutation);
  const { problems, seconds, lives } = result;
  numFaults += faults.length;
  figures = addFigures(figures, result.figures);
  for (const { check, text } of problems) tell(`  BROKEN ${check}: ${text}`);
  const verdict = problems.length === 0 ? "kept every promise" : "BROKE a promise";
  tell(
    `  ${verdict} in ${seconds.toFixed(1)} s, ${lives} ${lives === 1 ? "life" : "lives"} of the coordinator`,
  );
  if (problems.length > 0) broken.push(schedule.seed);
}
if (broken.length === 0) rmSync(folder, { recursive: true });
else tell(`histories and run directories: ${folder}`);
tell(
  `${played} schedules, ${numFaults} faults: ` +
    (broken.length === 0
      ? "every promise was kept"
      : `broken with seeds ${broken.join(", ")}; the same again: npm run chaos -- --seed N`),
);
const { steps, leaves, workers, joins, deaths, leavesAgain, resumes, stepsAgain } = figures;
tell(`  steps: ${steps} committed, with ${leaves} micro-shards, by ${workers} workers of ${joins}`);
tell(`  lost: ${deaths} workers died; ${leavesAgain} micro-shards were leased to a second one`);
tell(`  resumed: ${resumes} times, with ${stepsAgain} steps computed anew`);
tell(`  refused: ${figures.refused} uploads; longest silence ${figures.longestSilenceMs} ms`);
process.exitCode = broken.length === 0 ? 0 : 1;
