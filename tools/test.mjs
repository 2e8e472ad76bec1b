#!/usr/bin/env node
/**
 * `npm test`: every check of every project through Nx, then one line with the true counts.
 *
 *     npm test                    # all of it
 *     npm test -- -p @ostinato/data,@ostinato/run     # options go to `nx run-many`
 *
 * The last line on standard output is `N passed, N failed`; the exit code is 0 only if nothing
 * failed. With CI=true a skipped test counts as failed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { summarize } from "./test-report.mjs";

const root = join(import.meta.dirname, "..");
const reportsFolder = join(root, "reports");
const nxRunFile = join(root, ".nx/cache/run.json");
const targets = ["lint", "boundaries", "format", "typecheck", "native-test", "test"];

const nx = createRequire(import.meta.url).resolve("nx/bin/nx.js");
const runMany = [nx, "run-many", "-t", ...targets, ...process.argv.slice(2)];
const environment = {
  ...process.env,
  NX_DAEMON: "false",
  NX_NO_CLOUD: "true",
  NX_TUI: "false",
  NX_CACHE_DIRECTORY: join(root, ".nx/cache"),
};

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

function plannedTasks() {
  const graphFile = join(root, ".nx/test-graph.json");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...runMany, `--graph=${graphFile}`],
    { cwd: root, env: environment, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`nx could not plan the tasks:\n${stdout}${stderr}`);
  return Object.keys(readJson(graphFile).tasks.tasks);
}

// A report that is there afterwards was written, or restored from the cache, by this very run.
rmSync(reportsFolder, { recursive: true, force: true });
rmSync(nxRunFile, { force: true });

const expected = plannedTasks();
const { status, signal } = spawnSync(
  process.execPath,
  [...runMany, "--output-style=static", "--parallel=2"],
  { cwd: root, env: environment, stdio: "inherit" },
);

const tasks = existsSync(nxRunFile) ? readJson(nxRunFile).tasks : [];
const reports = new Map();
for (const task of tasks) {
  if (task.target !== "test") continue;
  const file = join(reportsFolder, `${task.projectName}.json`);
  if (existsSync(file)) reports.set(task.projectName, readJson(file));
}

const { lines, passed, failed } = summarize({
  expected,
  tasks,
  reports,
  skippedFails: process.env.CI === "true",
});
// Whatever ended Nx itself counts too, even when no task tells of it.
const nxFailed = failed === 0 && status !== 0;
if (nxFailed) lines.push(`failed   nx run-many ended with ${signal ?? `exit code ${status}`}`);
const allFailed = failed + (nxFailed ? 1 : 0);

process.stdout.write(`${["", ...lines, `${passed} passed, ${allFailed} failed`].join("\n")}\n`);
process.exitCode = allFailed === 0 ? 0 : 1;
