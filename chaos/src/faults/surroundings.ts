/** What happens around the processes. */

import type { FaultKind } from "./fault-kind.js";

/** Many join and never come. */
const joinStorm: FaultKind = {
  kind: "joinStorm",
  target: "coordinator",
  phases: ["lease"],
  maxNth: 1,
  draw: (random) => ({ joins: random(50, 200) }),
  fire: async ({ coordinator, fault, evidence }) => {
    const { joined, refused } = await coordinator.joinMany(fault.values["joins"] ?? 0);
    evidence(`${joined} joined and never came, ${refused} were refused`);
    return undefined;
  },
  shows: { nothing: true },
};

/** Somebody starts a coordinator that other machines could reach, without TLS and tokens. */
const listenOpenly: FaultKind = {
  kind: "listenOpenly",
  target: "coordinator",
  phases: ["lease"],
  maxNth: 1,
  fire: ({ coordinator, meanwhile, evidence }) => {
    meanwhile(
      coordinator.startAnother("0.0.0.0:0").then((refusal) => {
        if (refusal?.includes("--insecure") === true) evidence(`refused: ${refusal}`);
      }),
    );
    return undefined;
  },
  shows: { nothing: true },
};

const HOUR_MS = 3_600_000;

const clockJump = (target: "worker" | "coordinator"): FaultKind => ({
  kind: target === "worker" ? "workerClockJump" : "coordinatorClockJump",
  target,
  phases: ["lease"],
  maxNth: 1,
  draw: (random) => ({ hours: random(0, 1) === 0 ? -1 : 1 }),
  fire: async ({ slot, coordinator, fault, evidence }) => {
    const hands = target === "worker" ? slot : coordinator;
    const { hours = 1 } = fault.values;
    await hands.tell({ kind: "jumpClock", milliseconds: hours * HOUR_MS });
    evidence(`its clock is ${hours} h off`);
    return undefined;
  },
  shows: { nothing: true },
});

export const SURROUNDINGS_FAULTS: readonly FaultKind[] = [
  joinStorm,
  listenOpenly,
  clockJump("worker"),
  clockJump("coordinator"),
];
