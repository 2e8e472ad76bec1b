/** What happens to the files of a run. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DiskFault } from "../agent/index.js";
import type { FaultKind } from "./fault-kind.js";

const NOT_WRITTEN = "the checkpoint of step \\d+ could not be written";

const failing = (kind: string, disk: DiskFault["kind"], shows: FaultKind["shows"]): FaultKind => ({
  kind,
  target: "coordinator",
  phases: ["checkpoint"],
  maxNth: 3,
  disk: ({ id, at }) => ({ faultId: id, step: at.step, kind: disk, nth: at.nth }),
  shows,
});

/** Files that a checkpoint has, of which one is damaged or missing. */
const FILES = ["parameters.safetensors", "optimizer.safetensors", "manifest.json"] as const;

const damaged = (
  kind: string,
  damage: (path: string, values: Readonly<Record<string, number>>) => string,
): FaultKind => ({
  kind,
  target: "coordinator",
  phases: ["lease"],
  maxNth: 1,
  draw: (random) => ({ file: random(0, FILES.length - 1), place: random(0, 999) }),
  fire: ({ coordinator, fault, evidence }) => {
    const name = FILES[fault.values["file"] ?? 0] ?? FILES[0];
    coordinator.beforeRestart((checkpoint) => {
      const text = damage(join(checkpoint, name), fault.values);
      evidence(text);
      return text;
    });
    coordinator.kill("SIGKILL");
    return undefined;
  },
  endsCoordinator: true,
  shows: { skippedCheckpoint: true },
});

const flippedByte = damaged("diskFlippedByte", (path, { place = 0 }) => {
  const bytes = readFileSync(path);
  const at = Math.floor((place / 1000) * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ 0x20;
  writeFileSync(path, bytes);
  return `byte ${at} of ${path.split("/").slice(-2).join("/")} is another one`;
});

const missingFile = damaged("diskMissingFile", (path) => {
  rmSync(path);
  return `${path.split("/").slice(-2).join("/")} is gone`;
});

export const DISK_FAULTS: readonly FaultKind[] = [
  failing("diskFull", "full", { logLine: NOT_WRITTEN }),
  flippedByte,
  failing("diskReadOnly", "readOnly", { logLine: NOT_WRITTEN }),
  // Half of the file is there, and then the process is not.
  { ...failing("diskTornWrite", "torn", { resume: true }), endsCoordinator: true },
  failing("diskSlow", "slow", { nothing: true }),
  missingFile,
  failing("diskFailing", "failing", { logLine: NOT_WRITTEN }),
];
