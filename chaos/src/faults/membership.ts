/** Workers that come and go while steps are computed. */

import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind } from "./fault-kind.js";

/** For longer than a step may stand still without a word; see the validator's check of waits. */
const DEADLINES_AWAY = 2;

/** It goes, and nobody takes its place for a while: there are fewer than the run is to have. */
const stayAway: FaultKind = {
  kind: "workerStaysAway",
  target: "worker",
  phases: ["lease", "end"],
  maxNth: 1,
  fire: (moment) => {
    const { slot, deadlineMs, evidence } = moment;
    const awayMs = DEADLINES_AWAY * deadlineMs;
    slot.kill("SIGTERM");
    moment.meanwhile(
      slot.stayAway(sleep(awayMs), { isMissed: true }).then(() => {
        evidence(`nobody was in its place for ${awayMs} ms`);
      }),
    );
    return undefined;
  },
  shows: { logLine: "STEP waits " },
};

/** Some are not there in the beginning: steps are computed by fewer, and others join them. */
const joinLate: FaultKind = {
  kind: "workersJoinLate",
  target: "coordinator",
  phases: ["lease"],
  maxNth: 1,
  draw: (random) => ({ workers: random(1, 3) }),
  isElastic: true,
  comesFirst: true,
  numLate: ({ values }) => values["workers"] ?? 1,
  fire: ({ cluster, evidence, meanwhile }) => {
    const { attached } = cluster;
    meanwhile(
      cluster.startLate().then(() => {
        evidence(`there were ${attached}, and then ${cluster.attached}`);
      }),
    );
    return undefined;
  },
  shows: { nothing: true },
};

/** One goes, steps are computed by the others, and one comes in its place. */
const leave: FaultKind = {
  kind: "workerLeaves",
  target: "worker",
  phases: ["lease", "end"],
  maxNth: 1,
  minAttached: 2,
  draw: (random) => ({ steps: random(2, 4) }),
  isElastic: true,
  fire: (moment) => {
    const { slot, cluster, fault, evidence } = moment;
    const { steps = 2 } = fault.values;
    const until = cluster.stepBegun(cluster.step + steps);
    slot.kill("SIGTERM");
    moment.meanwhile(
      slot.stayAway(until, { isMissed: false }).then(() => {
        evidence(`there were ${steps} steps without it`);
      }),
    );
    return undefined;
  },
  shows: { logLine: "WORKER leaves" },
};

export const MEMBERSHIP_FAULTS: readonly FaultKind[] = [stayAway, joinLate, leave];
