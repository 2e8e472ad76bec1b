/** What happens to the coordinator's process. */

import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind } from "./fault-kind.js";

/** Killed while an upload comes in. */
const kill: FaultKind = {
  kind: "coordinatorKill",
  target: "coordinator",
  phases: ["lease", "upload", "end", "evaluation"],
  maxNth: 1,
  fire: ({ coordinator, evidence }) => {
    coordinator.kill("SIGKILL");
    evidence("killed");
    return undefined;
  },
  endsCoordinator: true,
  shows: { resume: true },
};

const killedAround = (when: "before" | "after"): FaultKind => ({
  kind: when === "before" ? "coordinatorKillBeforeLine" : "coordinatorKillAfterLine",
  target: "coordinator",
  phases: ["ledger"],
  maxNth: 1,
  ledger: ({ id, at }) => ({ faultId: id, step: at.step, when }),
  endsCoordinator: true,
  shows: { resume: true },
});

/** A checkpoint, and then the end. */
const terminate: FaultKind = {
  kind: "coordinatorTerminate",
  target: "coordinator",
  phases: ["lease", "upload"],
  maxNth: 1,
  fire: ({ coordinator, evidence }) => {
    coordinator.kill("SIGTERM");
    evidence("asked to stop");
    return undefined;
  },
  endsCoordinator: true,
  shows: { resume: true },
};

/** It stands still for longer than a lease lives, and blames nobody for it. */
const freeze: FaultKind = {
  kind: "coordinatorFreeze",
  target: "coordinator",
  phases: ["lease", "upload"],
  maxNth: 1,
  fire: async ({ coordinator, deadlineMs, evidence }) => {
    coordinator.kill("SIGSTOP");
    await sleep(1.2 * deadlineMs);
    coordinator.kill("SIGCONT");
    evidence("it stood still for longer than the deadline");
    return undefined;
  },
  shows: { nothing: true },
};

export const COORDINATOR_FAULTS: readonly FaultKind[] = [
  kill,
  killedAround("before"),
  killedAround("after"),
  terminate,
  freeze,
];
