import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contiguousRuns, LeaseShares, LeaseTable, nodesToUpload, planLeases } from "./index.js";
import type { Assignment } from "./index.js";

/** Leaves shared out among workers of whom nothing is known. */
function planEvenly(
  free: readonly number[],
  workers: readonly string[],
  leavesTogether = 1,
): readonly Assignment[] {
  const shares = new LeaseShares().divide(
    undefined,
    free.length / leavesTogether,
    workers,
    undefined,
  );
  return planLeases(free, workers, shares, leavesTogether);
}

describe("LeaseTable", () => {
  it("frees the unfinished leaves of a revoked lease and keeps the finished ones", () => {
    const table = new LeaseTable(4, 1);
    const lease = table.grant("worker-1", [0, 1, 2], 0);
    table.complete([1], 0);
    expect(table.freeLeaves()).toEqual([3]);
    expect(table.revoke(lease.fence, "killed")).toEqual({
      worker: "worker-1",
      fence: 1,
      leaves: [0, 2],
      reason: "killed",
    });
    expect(table.freeLeaves()).toEqual([0, 2, 3]);
  });

  it("refuses a revoked fence, a foreign worker and leaves outside the lease", () => {
    const table = new LeaseTable(4, 7);
    const lease = table.grant("worker-1", [0, 1], 0);
    expect(table.holdsLeaves(lease.fence, "worker-1", [1])).toBe(true);
    expect(table.holdsLeaves(lease.fence, "worker-2", [1])).toBe(false);
    expect(table.holdsLeaves(lease.fence, "worker-1", [1, 2])).toBe(false);
    expect(table.holdsLeaves(99, "worker-1", [1])).toBe(false);
    table.revoke(lease.fence, "expired");
    expect(table.holdsLeaves(lease.fence, "worker-1", [1])).toBe(false);
  });

  it("takes uploads for the nodes of the lease and for no other node over the same leaves", () => {
    const table = new LeaseTable(4, 1);
    const { fence } = table.grant("worker-1", [0, 1], 0, {
      nodes: [{ firstLeaf: 0, numLeaves: 2 }],
    });
    expect(table.holdsNode(fence, "worker-1", { firstLeaf: 0, numLeaves: 2 })).toBe(true);
    expect(table.holdsNode(fence, "worker-1", { firstLeaf: 0, numLeaves: 1 })).toBe(false);
    expect(table.holdsNode(fence, "worker-2", { firstLeaf: 0, numLeaves: 2 })).toBe(false);
    table.revoke(fence, "expired");
    expect(table.holdsNode(fence, "worker-1", { firstLeaf: 0, numLeaves: 2 })).toBe(false);
  });

  it("tells which leases are complete by a leaf, also those of others that held it", () => {
    const table = new LeaseTable(2, 1);
    const slow = table.grant("slow", [0, 1], 0);
    const second = table.grant("idle", [1], 500);
    expect(table.complete([0], 0)).toEqual([]);
    expect(table.complete([1], 0).map(({ fence }) => fence)).toEqual([slow.fence, second.fence]);
    expect(table.complete([1], 0)).toEqual([]);
  });

  it("expires a lease only when nothing moved for the deadline", () => {
    const table = new LeaseTable(2, 1);
    const lease = table.grant("worker-1", [0], 0);
    table.renew(lease.fence, 900, "backward", 32);
    expect(table.expired(1899, 1000)).toEqual([]);
    expect(table.expired(1900, 1000).map(({ fence }) => fence)).toEqual([lease.fence]);
  });

  it("leaves the first fence valid when a late lease gets a second one", () => {
    const table = new LeaseTable(2, 1);
    const first = table.grant("slow", [0, 1], 0);
    expect(table.oldestUnshared()).toMatchObject({ fence: first.fence, grantedAtMs: 0 });
    const second = table.grant("idle", [0, 1], 500);
    expect(table.oldestUnshared()).toBeUndefined();
    expect(table.holdsLeaves(first.fence, "slow", [0, 1])).toBe(true);
    expect(table.holdsLeaves(second.fence, "idle", [0, 1])).toBe(true);
    table.revoke(first.fence, "expired");
    expect(table.freeLeaves()).toEqual([]);
  });

  it("frees leaves whose results are dropped, also those that an active lease has sent, which is complete without them", () => {
    const table = new LeaseTable(4, 1);
    const active = table.grant("good", [0, 1, 2], 0);
    const done = table.grant("bad", [3], 0);
    table.complete([0, 1], 0);
    table.complete([3], 0);
    table.expel("bad");
    table.reopen([0, 1, 3]);
    expect(table.freeLeaves()).toEqual([0, 1, 3]);
    expect(table.holdsLeaves(done.fence, "bad", [3])).toBe(false);
    expect(table.unfinished(active)).toEqual([2]);
    expect(table.complete([2], 0)).toEqual([active]);
    expect(table.isComplete).toBe(false);
  });

  it("never has a leaf both free and held, nor repeats a fence, whatever happens", () => {
    const action = fc.record({
      kind: fc.constantFrom("grant", "revoke", "complete"),
      worker: fc.nat(3),
      pick: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const table = new LeaseTable(8, 1);
        const fences: number[] = [];
        for (const { kind, worker, pick } of actions) {
          const free = table.freeLeaves();
          if (kind === "grant" && free.length > 0) {
            const leaves = free.slice(0, 1 + (pick % free.length));
            fences.push(table.grant(`worker-${worker}`, leaves, 0).fence);
          } else if (kind === "revoke") {
            table.revoke(fences[pick % Math.max(1, fences.length)] ?? 0, "test");
          } else if (kind === "complete") {
            table.complete([pick % 8], 0);
          }
          const held = new Set(
            table.active().flatMap((lease) => lease.leaves.filter((leaf) => !table.isDone(leaf))),
          );
          for (let leaf = 0; leaf < 8; leaf++) {
            const places = [table.isDone(leaf), held.has(leaf), table.freeLeaves().includes(leaf)];
            expect(places.filter(Boolean)).toHaveLength(1);
          }
        }
        expect(new Set(fences).size).toBe(fences.length);
      }),
    );
  });
});

describe("a check", () => {
  it("neither holds its leaves nor completes with them: only what it sends itself counts", () => {
    const table = new LeaseTable(4, 1);
    table.complete([0, 1], 0);
    const check = table.grant("other", [0, 1], 0, { isCheck: true });
    expect(table.unfinished(check)).toEqual([0, 1]);
    expect(table.freeLeaves()).toEqual([2, 3]);
    expect(table.oldestUnshared()).toBeUndefined();
    expect(table.complete([0, 1, 2], 0)).toEqual([]);
    expect(table.completeCheck(check.fence, [1])).toEqual([]);
    expect(table.unfinished(check)).toEqual([0]);
    expect(table.completeCheck(check.fence, [0]).map(({ fence }) => fence)).toEqual([check.fence]);
    expect(table.active()).toEqual([]);
    expect(table.isDone(3)).toBe(false);
  });

  it("can be revoked, and leaves what is done done", () => {
    const table = new LeaseTable(2, 1);
    table.complete([0, 1], 0);
    const check = table.grant("other", [0, 1], 0, { isCheck: true });
    expect(table.revoke(check.fence, "expired")).toMatchObject({ leaves: [0, 1] });
    expect(table.completeCheck(check.fence, [0, 1])).toEqual([]);
    expect(table.isComplete).toBe(true);
  });
});

describe("planLeases", () => {
  it("cuts eight leaves among three workers into runs of 2, 3 and 3", () => {
    const plan = planEvenly([0, 1, 2, 3, 4, 5, 6, 7], ["a", "b", "c"]);
    expect(plan.map(({ leaves }) => leaves)).toEqual([
      [0, 1],
      [2, 3, 4],
      [5, 6, 7],
    ]);
  });

  it("gives each free leaf to exactly one worker, as even as can be", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(63)), fc.nat(10), (leaves, numWorkers) => {
        const free = leaves.sort((a, b) => a - b);
        const workers = Array.from({ length: numWorkers }, (_, i) => `worker-${i}`);
        const plan = planEvenly(free, workers);
        expect(plan.flatMap((assignment) => assignment.leaves)).toEqual(
          numWorkers === 0 ? [] : free,
        );
        const sizes = plan.map((assignment) => assignment.leaves.length);
        if (sizes.length > 0)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("planLeases of leaves that are never parted", () => {
  it("gives out whole groups of them, as even as can be", () => {
    const plan = planEvenly([0, 1, 2, 3, 6, 7, 8, 9, 10, 11], ["a", "b", "c"], 2);
    expect(plan.map(({ leaves }) => leaves)).toEqual([
      [0, 1],
      [2, 3, 6, 7],
      [8, 9, 10, 11],
    ]);
  });

  it("leaves workers idle where there are fewer groups", () => {
    const plan = planEvenly([4, 5, 6, 7], ["a", "b", "c"], 4);
    expect(plan).toEqual([{ workerId: "a", leaves: [4, 5, 6, 7] }]);
    expect(planEvenly([], ["a"], 4)).toEqual([]);
  });
});

describe("nodesToUpload", () => {
  it("are the largest that there are", () => {
    expect(nodesToUpload([2, 3, 4, 5, 6, 7], undefined)).toEqual([
      { firstLeaf: 2, numLeaves: 2 },
      { firstLeaf: 4, numLeaves: 4 },
    ]);
  });

  it("are all of the level that is rounded, where one is", () => {
    expect(nodesToUpload([0, 1, 4, 5, 6, 7], 2)).toEqual([
      { firstLeaf: 0, numLeaves: 2 },
      { firstLeaf: 4, numLeaves: 2 },
      { firstLeaf: 6, numLeaves: 2 },
    ]);
  });

  it("are the same for the leaves together, however they are shared out", () => {
    const depth = fc.integer({ min: 0, max: 6 });
    const workers = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(depth, depth, workers, (total, level, numWorkers) => {
        const rounded = 2 ** Math.min(total, level);
        const leaves = Array.from({ length: 2 ** total }, (_, leaf) => leaf);
        const ids = Array.from({ length: numWorkers }, (_, n) => `worker-${n}`);
        const nodes = planEvenly(leaves, ids, rounded).flatMap((assignment) =>
          nodesToUpload(assignment.leaves, rounded),
        );
        expect(nodes).toEqual(nodesToUpload(leaves, rounded));
      }),
    );
  });
});

describe("contiguousRuns", () => {
  it("cuts where a leaf is missing", () => {
    expect(contiguousRuns([0, 1, 4, 5, 6, 9])).toEqual([
      { first: 0, count: 2 },
      { first: 4, count: 3 },
      { first: 9, count: 1 },
    ]);
  });
});
