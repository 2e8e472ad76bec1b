import { resolve } from "node:path";

import { systemClock } from "@ostinato/runtime";

import type { DoctorOptions } from "../command-line/index.js";
import { EXIT_CODES } from "../errors/index.js";
import { examine, findingsOf, healthText, thisMachine } from "../health/index.js";
import type { Terminal } from "./terminal.js";

/** Of each of the few measurements. */
const SECONDS = 0.3;
const DEFAULT_COLUMNS = 80;

/** `ostinato doctor`: whether training can run on this machine, and how fast. */
export async function doctor(
  { runDir, json }: DoctorOptions,
  { stdout, folder }: Terminal,
): Promise<number> {
  const health = await examine({
    nodeVersion: process.versions.node,
    machine: thisMachine(),
    runFolder: resolve(folder, runDir),
    now: () => systemClock.now(),
    seconds: SECONDS,
  });
  const findings = findingsOf(health);
  const canTrain = findings.problems.length === 0;
  // Some terminals say that they have no columns at all.
  const columns = stdout.columns || DEFAULT_COLUMNS;
  stdout.write(
    json
      ? `${JSON.stringify({ event: "doctor", canTrain, ...findings, ...health })}\n`
      : healthText(health, findings, columns),
  );
  return canTrain ? EXIT_CODES.done : EXIT_CODES.failed;
}
