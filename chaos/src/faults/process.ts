/** What happens to a worker's process. */

import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind, FaultMoment } from "./fault-kind.js";

const whileComputing = ["lease", "upload", "end", "evaluation"] as const;

/** The process is gone at once, or after a moment of silence; what it had sent is on its way. */
const kill: FaultKind = {
  kind: "workerKill",
  target: "worker",
  phases: whileComputing,
  maxNth: 1,
  draw: (random) => ({ silentMs: random(0, 1) * random(1, 400) }),
  fire: async ({ slot, fault, evidence }) => {
    await sleep(fault.values["silentMs"] ?? 0);
    slot.kill("SIGKILL");
    evidence("killed");
    return [];
  },
  shows: { logLine: "WORKER .* (lost|left)" },
};

/** It stands still until somebody else has what it was to compute, and wakes as a zombie. */
const freeze: FaultKind = {
  kind: "workerFreeze",
  target: "worker",
  // Not in an upload, the rest of which may be under way.
  phases: ["lease"],
  maxNth: 1,
  fire: (moment) => {
    const { slot, fence, evidence } = moment;
    slot.kill("SIGSTOP");
    moment.meanwhile(
      slot.leaseGone(fence).then(() => {
        evidence("its lease was gone when it woke");
        slot.kill("SIGCONT");
      }),
    );
    return undefined;
  },
  shows: { leaseGone: true },
};

/** It is asked to go: its leases come back at once. */
const terminate: FaultKind = {
  kind: "workerTerminate",
  target: "worker",
  phases: whileComputing,
  maxNth: 1,
  fire: ({ slot, evidence }) => {
    slot.kill("SIGTERM");
    evidence("asked to go");
    return undefined;
  },
  shows: { logLine: "WORKER leaves" },
};

/** It neither hears nor says anything, and lives. */
const block: FaultKind = {
  kind: "workerBlock",
  target: "worker",
  phases: ["lease"],
  maxNth: 1,
  // Who takes its lease over does so before it moves again.
  minAttached: 2,
  draw: (random) => ({ milliseconds: random(2500, 4500) }),
  fire: async (moment) => {
    const { slot, fault, fence, evidence } = moment;
    await slot.tell({ kind: "block", milliseconds: fault.values["milliseconds"] ?? 0 });
    moment.meanwhile(
      slot.leaseGone(fence).then(() => {
        evidence("its lease was gone while it stood still");
      }),
    );
    return undefined;
  },
  shows: { leaseGone: true },
};

const dies =
  (command: "throw" | "exhaustMemory") =>
  async (moment: FaultMoment): Promise<undefined> => {
    const { slot, evidence } = moment;
    // The process may end before it answers that it heard.
    await slot.tell({ kind: command }).catch(() => undefined);
    moment.meanwhile(
      slot.streamClosed().then(() => {
        evidence("its stream ended");
      }),
    );
    return undefined;
  };

const exception: FaultKind = {
  kind: "workerException",
  target: "worker",
  phases: ["lease"],
  maxNth: 1,
  fire: dies("throw"),
  shows: { logLine: "WORKER .*(lost|left|leaves)" },
};

const outOfMemory: FaultKind = {
  kind: "workerOutOfMemory",
  target: "worker",
  phases: ["lease"],
  maxNth: 1,
  fire: dies("exhaustMemory"),
  shows: { logLine: "WORKER .* (lost|left)" },
};

export const PROCESS_FAULTS: readonly FaultKind[] = [
  kill,
  freeze,
  terminate,
  block,
  exception,
  outOfMemory,
];
