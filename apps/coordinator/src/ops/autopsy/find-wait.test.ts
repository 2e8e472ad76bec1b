import { describe, expect, it } from "vitest";
import { LeaseTable } from "../../leases/index.js";
import { Presence } from "../../membership/index.js";
import { findWait } from "./index.js";
import type { AutopsySources, Collecting, Wait, WatchedWorker } from "./index.js";

/** Everything derives from it: a lease expires after 10 s, heartbeats come every 1.25 s. */
const DEADLINE_MS = 10_000;

const ALICE = { workerId: "worker-1-3", name: "node-b:77", state: "active", joinedAtMs: 0 };
const BOB = { workerId: "worker-1-4", name: "node-c:5", state: "active", joinedAtMs: 0 };

function present(numActive: number, minWorkers = 1): Presence {
  const presence = new Presence(minWorkers, 0);
  presence.update(numActive, 0);
  return presence;
}

function sources(given: Partial<AutopsySources>): AutopsySources {
  const workers = given.workers ?? [ALICE];
  return {
    deadlineMs: DEADLINE_MS,
    workers,
    presence: present(workers.filter(({ state }) => state === "active").length),
    collecting: undefined,
    ownWork: undefined,
    fetches: [],
    ...given,
  };
}

function collecting(leases: LeaseTable, given: Partial<Collecting> = {}): Collecting {
  return {
    ...{ kind: "train", step: 812, sinceMs: 0, begunAtMs: 0, leases, retries: [] },
    gate: undefined,
    ...given,
  };
}

const textAt = (given: Partial<AutopsySources>, nowMs: number): string | undefined =>
  findWait(sources(given), nowMs)?.text;

function heard(worker: WatchedWorker, heardAtMs: number, busyAndSilentSinceMs?: number) {
  return { ...worker, link: { heardAtMs, busyAndSilentSinceMs } };
}

describe("a step whose leaves are all in", () => {
  it("waits for what the gatekeeper wants to know", () => {
    const leases = new LeaseTable(2, 1);
    const gate = { what: "another worker", next: "without it the run ends in 2.0 s", sinceMs: 500 };
    leases.grant(ALICE.workerId, [0, 1], 0);
    leases.complete([0, 1], 1);
    expect(textAt({ collecting: collecting(leases, { gate }) }, 3500)).toBe(
      "step 812 waits for another worker, for 3.0 s; without it the run ends in 2.0 s",
    );
    expect(textAt({ collecting: collecting(leases) }, 3500)).toBeUndefined();
  });
});

describe("a run that moves", () => {
  it("waits for nothing", () => {
    const leases = new LeaseTable(2, 1);
    leases.grant(ALICE.workerId, [0, 1], 0);
    expect(findWait(sources({ collecting: collecting(leases) }), 900)).toBeUndefined();
    expect(findWait(sources({}), 99_000)).toBeUndefined();
  });

  it("is said to be slow, which is no stall, once a step outlasts a lease that stands still", () => {
    const leases = new LeaseTable(4, 1);
    const lease = leases.grant(ALICE.workerId, [0, 1, 2], 1000);
    leases.renew(lease.fence, 41_900, "download");
    const wait = findWait(sources({ collecting: collecting(leases) }), 42_000);
    expect(wait).toMatchObject<Partial<Wait>>({
      isStall: false,
      text:
        "step 812 has taken 42.0 s and moves: worker-1-3 (node-b:77) has had leaves 0–2 for 41.0 s, " +
        "phase download (parameters are on their way to it); nothing ends a lease that moves",
    });
  });
});

describe("a step without enough workers", () => {
  it("says for how long nobody has been here", () => {
    const given = {
      workers: [],
      collecting: collecting(new LeaseTable(2, 1), { begunAtMs: undefined }),
    };
    expect(textAt(given, 12_300)).toBe(
      "step 812 waits for a worker: none has been here for 12.3 s; it begins as soon as one joins",
    );
  });

  it("says which leaves a step that has begun lacks when the last worker is gone", () => {
    const leases = new LeaseTable(4, 1);
    leases.complete([0, 2], 1);
    const presence = present(1);
    presence.update(0, 5000);
    expect(textAt({ workers: [], presence, collecting: collecting(leases) }, 7500)).toBe(
      "step 812 waits for a worker: none has been here for 2.5 s; its unfinished leaves 1, 3 will be " +
        "leased as soon as one joins",
    );
  });

  it("names the minimum, how many are here and how many are missing", () => {
    const given = {
      presence: present(1, 3),
      collecting: collecting(new LeaseTable(2, 1), { begunAtMs: undefined }),
    };
    expect(textAt(given, 4200)).toBe(
      "step 812 waits for workers: 1 is here, cluster.minWorkers is 3, for 4.2 s; it begins as soon " +
        "as 2 more join",
    );
  });

  it("says nothing of a minimum while a step that has begun is being finished", () => {
    const leases = new LeaseTable(2, 1);
    leases.grant(ALICE.workerId, [0, 1], 4000);
    const given = { presence: present(1, 3), collecting: collecting(leases) };
    expect(textAt(given, 4200)).toBeUndefined();
  });

  it("names the worker that gets ready, what was sent of the data, and when it is forgotten", () => {
    const joined = { ...ALICE, state: "joined", joinedAtMs: 1000 };
    const given = {
      workers: [joined, { ...BOB, state: "joined", joinedAtMs: 2000 }],
      collecting: collecting(new LeaseTable(2, 1), { begunAtMs: undefined }),
      fetches: [{ bytesSent: 34 * 2 ** 20, totalBytes: 120 * 2 ** 20, movedAtMs: 3900 }],
    };
    expect(textAt(given, 4000)).toBe(
      "step 812 waits for a worker: none has been here for 4.0 s; worker-1-3 (node-b:77) and 1 more " +
        "joined 3.0 s ago and loads data and model (34.0 of 120.0 MiB of the data sent, the last of it " +
        "0.1 s ago); without a stream it is forgotten in 7.0 s and joins again",
    );
  });
});

describe("a lease that stands still", () => {
  function stalled(worker: WatchedWorker): {
    readonly leases: LeaseTable;
    readonly given: Partial<AutopsySources>;
  } {
    const leases = new LeaseTable(4, 1);
    const lease = leases.grant(ALICE.workerId, [1, 2, 3], 0);
    leases.complete([2], 1);
    leases.renew(lease.fence, 1000, "backward", 16);
    return { leases, given: { workers: [worker, BOB], collecting: collecting(leases) } };
  }

  it("is named with worker, leaves, phase, how long, and what happens when", () => {
    expect(textAt(stalled(ALICE).given, 5100)).toBe(
      "step 812 waits on worker-1-3 (node-b:77), leaves 1, 3, phase backward: nothing moved for 4.1 s; " +
        "they are leased again in 5.9 s",
    );
  });

  it("is told from a process that stands still: there are heartbeats", () => {
    expect(textAt(stalled(heard(ALICE, 4600)).given, 5100)).toBe(
      "step 812 waits on worker-1-3 (node-b:77), leaves 1, 3, phase backward: nothing moved for 4.1 s, " +
        "though its process answers: its computation stands still; they are leased again in 5.9 s",
    );
  });

  it("of a process that says nothing ends with its connection, before the deadline", () => {
    // Two thirds of the deadline after the last word, 6.667 s, of which 4.1 have passed.
    expect(textAt(stalled(heard(ALICE, 1000)).given, 5100)).toBe(
      "step 812 waits on worker-1-3 (node-b:77), leaves 1, 3, phase backward: nothing moved for 4.1 s, " +
        "nor was anything heard of its process for 4.1 s (frozen, its event loop blocked, or cut off); " +
        "they are leased again in at most 2.6 s",
    );
  });

  it("says who else has its leaves by now", () => {
    const { leases, given } = stalled(ALICE);
    leases.grant(BOB.workerId, [1, 3], 4900);
    expect(textAt(given, 5100)).toMatch(
      /they are leased again in 5\.9 s; worker-1-4 has had them too, for 0\.2 s$/,
    );
  });

  it("is of one leaf, of an evaluation, and not answered yet", () => {
    const leases = new LeaseTable(1, 1);
    leases.grant(ALICE.workerId, [0], 0);
    expect(textAt({ collecting: collecting(leases, { kind: "evaluate" }) }, 2000)).toBe(
      "the evaluation at step 812 waits on worker-1-3 (node-b:77), leaf 0, phase granted (not answered " +
        "yet): nothing moved for 2.0 s; it is leased again in 8.0 s",
    );
  });
});

describe("leaves that nobody takes", () => {
  function free(): LeaseTable {
    const leases = new LeaseTable(4, 1);
    leases.revoke(leases.grant(ALICE.workerId, [0, 1, 2, 3], 0).fence, "expired");
    return leases;
  }

  it("wait for somebody to become idle, and for one that is silent to be cut off", () => {
    const given = { workers: [heard(ALICE, 9000, 1000)], collecting: collecting(free()) };
    expect(textAt(given, 12_000)).toBe(
      "step 812 waits for a worker to become idle, for 12.0 s: leaves 0–3 are free; worker-1-3 " +
        "(node-b:77), whose lease is over, has said nothing for 11.0 s and is cut off in 9.0 s",
    );
  });

  it("go to the next one that ends its lease while everybody talks", () => {
    const given = { workers: [heard(ALICE, 1900, 1900)], collecting: collecting(free()) };
    expect(textAt(given, 2000)).toMatch(/; the next one that ends its lease, or joins, gets it$/);
  });

  it("are to be computed by another worker, where the first result was not finite", () => {
    const retries = [{ node: { firstLeaf: 2, numLeaves: 2 }, notBy: BOB.workerId }];
    const given = { collecting: collecting(free(), { retries }) };
    expect(textAt(given, 2000)).toBe(
      "step 812 waits for a worker that computes leaves 2–3 once more, for 2.0 s: the result of " +
        "worker-1-4 was not finite, and nobody else is idle; the next one that ends its lease, or joins, " +
        "gets it",
    );
  });
});

describe("the coordinator's own work", () => {
  it("is said to be what a step waits for, where its threads are slow", () => {
    const ownWork = {
      subject: "step 12",
      what: "the update is being applied",
      kind: "arithmetic",
      sinceMs: 1000,
    } as const;
    expect(textAt({ ownWork }, 1900)).toBeUndefined();
    expect(textAt({ ownWork }, 5200)).toBe(
      "step 12 waits for the coordinator's own arithmetic: the update is being applied, for 4.2 s; it " +
        "goes on when that is done, and the run ends with a message if the thread dies",
    );
  });

  it("is said to be the storage's, where that is slow", () => {
    const ownWork = {
      subject: "the end of the run",
      what: "the newest checkpoint is being written",
      kind: "storage",
      sinceMs: 0,
    } as const;
    expect(textAt({ ownWork }, 125_000)).toBe(
      "the end of the run waits for storage: the newest checkpoint is being written, for 2 min 5 s; it " +
        "goes on when the storage answers, which no time-out cuts short",
    );
  });
});
