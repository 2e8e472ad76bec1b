/**
 * A coordinator as it is, in a process of its own that ends with its parent. That is told its address, and
 * which of the process's threads run JavaScript beside the main one: its arithmetic.
 *
 *     node dist/saturation/coordinator-main.js CONFIG RUN_DIRECTORY
 */
import { existsSync, readdirSync } from "node:fs";

import { runCoordinator } from "@ostinato/coordinator";
import { loadConfig } from "@ostinato/run";

const TASKS = "/proc/self/task";

const [configFile = "", runDirectory = ""] = process.argv.slice(2);
process.on("disconnect", () => {
  process.exit();
});
const workerThreads: number[] = [];
// Told right after such a thread was made: it is the newest one then.
process.on("worker", () => {
  // Elsewhere than on Linux nothing is measured, which the parent says.
  if (!existsSync(TASKS)) return;
  workerThreads.push(Math.max(...readdirSync(TASKS).map(Number)));
});
const config = await loadConfig({
  file: configFile,
  // An audit is one lease more in a step that a coordinator chooses in secret: the workers, who wait for each
  // other between all leases of a step, would wait for ever.
  overrides: ["cluster.deadlineSeconds=600", "cluster.auditEverySteps=null"],
});
process.exitCode = await runCoordinator({
  ...{ config, configFile, runDirectory, resume: false, insecure: false, console: "none" },
  ...{ listen: "127.0.0.1:0", http: "127.0.0.1:0" },
  onReady: ({ address, metricsAddress }) =>
    process.send?.({ address, metricsAddress, workerThreads }),
});
process.disconnect();
