import { describe, expect, it } from "vitest";
import type { HistoryEvent, TimedEvent } from "../history/index.js";
import { attribution } from "./checks/attribution.js";
import { bystanders } from "./checks/bystanders.js";
import { lostWork } from "./checks/lost-work.js";

const DEADLINE_MS = 1000;

const at = (atMs: number, event: HistoryEvent): TimedEvent => ({ ...event, atMs });
const joined = (atMs: number, workerId: string): TimedEvent =>
  at(atMs, { kind: "joined", slot: 1, workerId, incarnation: 1 });
const closed = (atMs: number, workerId: string): TimedEvent =>
  at(atMs, { kind: "streamClosed", slot: 1, workerId });
const lease = (atMs: number, step: number): TimedEvent =>
  at(atMs, {
    ...{ kind: "message", slot: 1, workerId: "worker-1-9", direction: "down" },
    message: { kind: "lease", leaseKind: "train", step, fence: step, leaves: [0] },
  });
/** It stood still from 2000 to 3200. */
const thawed = at(3200, {
  kind: "fired",
  fault: {
    ...{ id: 1, kind: "coordinatorFreeze", slot: 0, values: {} },
    at: { step: 5, phase: "lease", nth: 1 },
  },
  ...{ workerId: "", step: 5, fence: 0 },
});

/** What the two checks say of a life in which a stream ends at this time. */
function problemsOf(closedAtMs: number, { isFrozen }: { readonly isFrozen: boolean }): string[] {
  const steps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
  const events = [
    joined(0, "worker-1-1"),
    // A step each 100 ms, but for the time in which it stands still.
    ...steps.map((step) => lease(step <= 5 ? 1500 + 100 * step : 2800 + 100 * step, step)),
    ...(isFrozen ? [thawed] : []),
    closed(closedAtMs, "worker-1-1"),
  ].sort((one, other) => one.atMs - other.atMs);
  const life = { pid: 1, events, incarnation: 1 };
  const log = [{ level: "warn", msg: "worker-1-1 (a) lost: it is gone", pid: 1 }];
  const facts = { events, lives: [life], log, deadlineMs: DEADLINE_MS };
  return [...bystanders(facts), ...attribution(facts)];
}

const PROBLEMS = [
  "the stream of worker-1-1 ended, to which nothing was done",
  "worker-1-1 is accused of what was not done to it: worker-1-1 (a) lost: it is gone",
];

describe("whoever turns away from a coordinator that stands still", () => {
  it("is excused while it does, and until it has gone on", () => {
    expect(problemsOf(2900, { isFrozen: true })).toEqual([]);
    expect(problemsOf(3450, { isFrozen: true })).toEqual([]);
  });

  it("is not before it, after it, or without it", () => {
    expect(problemsOf(1100, { isFrozen: true })).toEqual(PROBLEMS);
    expect(problemsOf(4150, { isFrozen: true })).toEqual(PROBLEMS);
    expect(problemsOf(2900, { isFrozen: false })).toEqual(PROBLEMS);
  });
});

/** What is said of a leaf that is leased again at 4100, a while after its upload passed. */
function lostWorkOf(uploadedAtMs: number, events: readonly TimedEvent[]): readonly string[] {
  const [slot, workerId] = [1, "worker-1-1"];
  const up = (message: object): TimedEvent =>
    at(uploadedAtMs, {
      ...{ kind: "message", slot, workerId, direction: "up" },
      message: message as (HistoryEvent & { readonly kind: "message" })["message"],
    });
  const life = {
    ...{ pid: 1, incarnation: 1 },
    events: [
      up({ kind: "uploadBegin", fence: 3, node: { firstLeaf: 0, numLeaves: 1 } }),
      up({ kind: "uploadEnd", leaves: [0] }),
      ...events,
      lease(4100, 5),
    ],
  };
  const ledger = [
    {
      ...{ type: "step", step: 5, incarnation: 1 },
      nodes: [{ first: 0, count: 1, worker: workerId, fence: 3 }],
    },
  ] as unknown as Parameters<typeof lostWork>[0]["ledger"];
  return lostWork({ ledger, lives: [life], deadlineMs: DEADLINE_MS });
}

describe("what comes to a coordinator that stands still", () => {
  const problem = [
    "step 5: leaf 0 was leased to worker-1-9 (fence 5) although its gradient was in",
  ];

  it("is not in before it moves again", () => {
    expect(lostWorkOf(2500, [thawed])).toEqual([]);
  });

  it("is where it came before, or nothing stood still", () => {
    expect(lostWorkOf(1100, [thawed])).toEqual(problem);
    expect(lostWorkOf(2500, [])).toEqual(problem);
  });
});
