/** Leases, uploads and faults, with real sessions and an injected clock. */

import { WireError } from "@ostinato/proto";
import type { Lease } from "@ostinato/proto";
import { describe, expect, it, vi } from "vitest";
import type { TrainRound } from "../src/training/index.js";
import type { FakeUpload } from "./support/fake-worker.js";
import { DEADLINE_MS, NO_STATISTICS, Trial } from "./support/trial.js";

/** 2^0 + 2^1 + 2^2 + 2^3: each leaf of four once. */
const ALL_FOUR = 15;

async function rootOf(round: TrainRound): Promise<number | undefined> {
  return (await round.tree.takeRoot())[0];
}

describe("a round", () => {
  it("is shared out among the workers, and completed by the sums of their nodes", async () => {
    const trial = new Trial();
    const workers = [trial.join(), trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    for (const worker of workers) worker.complete(await worker.lease(0));
    const { kind, holders } = await collected;
    expect(kind).toBe("complete");
    expect([...holders.keys()].sort()).toEqual([0, 1, 2, 3]);
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(round.results().map(({ leaf }) => leaf)).toEqual([0, 1, 2, 3]);
  });

  it("takes in a worker that joins in the middle of it", async () => {
    const trial = new Trial();
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const worker = trial.join();
    worker.complete(await worker.lease(0));
    expect((await collected).kind).toBe("complete");
  });

  it("ends with the signal, and revokes what is under way", async () => {
    const trial = new Trial();
    const worker = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    const { fence } = await worker.lease(0);
    trial.abort.abort();
    await expect(collected).rejects.toMatchObject({ code: "stopped" });
    await vi.waitFor(() => expect(worker.sent("revoke").map((m) => m.fence)).toEqual([fence]));
  });

  it("ends with an error from outside, as when the arithmetic is lost", async () => {
    const trial = new Trial();
    const collected = trial.collect(trial.trainRound(1));
    trial.dispatcher.fail(new Error("gone"));
    await expect(collected).rejects.toThrow("gone");
  });

  it("sends a version and the states a worker lacks, and neither twice", async () => {
    const trial = new Trial();
    const [first, second] = [trial.join(), trial.join()];
    const before = trial.trainRound(1);
    const collected = trial.collect(before);
    first.complete(await first.lease(0));
    second.complete(await second.lease(0));
    const { holders } = await collected;
    trial.states.replace(before.states(), holders);
    second.say({ kind: "returnLeases", reason: "asked to leave" });
    const round = trial.trainRound(2);
    const next = trial.collect(round);
    const lease = await first.lease(1);
    const sources = new Map(lease.leaves.map(({ leaf, state }) => [leaf, state]));
    const own = first.leavesOf(await first.lease(0));
    for (const leaf of [0, 1, 2, 3]) {
      expect(sources.get(leaf)).toBe(own.includes(leaf) ? "held" : "sent");
    }
    expect(first.sent("parameters").map(({ version }) => version)).toEqual([0, 1]);
    first.complete(lease);
    await next;
  });
});

describe("a round whose gradients are rounded at nodes of two leaves", () => {
  const widthsOf = ({ nodes }: Lease): readonly number[] => nodes.map(({ numLeaves }) => numLeaves);

  it("is leased by nodes of that level alone, whoever is there", async () => {
    for (const numWorkers of [1, 2, 3, 5]) {
      const trial = new Trial(8, undefined, 2);
      const workers = Array.from({ length: numWorkers }, () => trial.join());
      const round = trial.trainRound(1);
      const collected = trial.collect(round);
      // Four nodes: a fifth worker has nothing to do.
      for (const worker of workers.slice(0, 4)) {
        const lease = await worker.lease(0);
        expect(new Set(widthsOf(lease))).toEqual(new Set([2]));
        worker.complete(lease);
      }
      expect((await collected).kind).toBe("complete");
      expect(round.nodes().map(({ node }) => node)).toEqual(
        [0, 2, 4, 6].map((firstLeaf) => ({ firstLeaf, numLeaves: 2 })),
      );
      expect(await rootOf(round)).toBe(255);
      expect(workers[4]?.sent("lease") ?? []).toEqual([]);
    }
  });

  it("keeps to it when a worker dies after part of its lease", async () => {
    const trial = new Trial(8, undefined, 2);
    const [lost, other] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const lease = await lost.lease(0);
    expect(widthsOf(lease)).toEqual([2, 2]);
    lost.upload(lease, lease.nodes[0]!);
    lost.stream.drop(new WireError("unavailable", "reset"));
    other.complete(await other.lease(0));
    const again = await other.lease(1);
    expect(again.nodes).toEqual([lease.nodes[1]]);
    other.complete(again);
    await collected;
    expect(await rootOf(round)).toBe(255);
  });

  it("keeps to it in a second lease", async () => {
    const trial = new Trial(4, undefined, 2);
    const [late, idle] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    idle.complete(await idle.lease(0));
    trial.pass(DEADLINE_MS / 2);
    const second = await idle.lease(1);
    expect(second.nodes).toEqual((await late.lease(0)).nodes);
    expect(widthsOf(second)).toEqual([2]);
    idle.complete(second);
    await collected;
    expect(await rootOf(round)).toBe(ALL_FOUR);
  });

  it("takes no node of another level, though the worker has its leaves", async () => {
    const trial = new Trial(8, undefined, 2);
    const worker = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    const lease = await worker.lease(0);
    worker.upload(lease, { firstLeaf: 0, numLeaves: 8 });
    worker.upload(lease, { firstLeaf: 0, numLeaves: 1 });
    await vi.waitFor(() => {
      const reasons = worker.sent("uploadRejected").map(({ reason }) => reason);
      expect(reasons).toEqual(["staleLease", "staleLease"]);
    });
    worker.complete(lease);
    expect((await collected).kind).toBe("complete");
  });

  it("has an evaluation shared out by leaves", async () => {
    const trial = new Trial(4, undefined, 4);
    const workers = [trial.join(), trial.join()];
    const collected = trial.collect(trial.evaluationRound(1));
    for (const worker of workers) {
      const lease = await worker.lease(0);
      expect(worker.leavesOf(lease)).toHaveLength(2);
      worker.complete(lease);
    }
    expect((await collected).kind).toBe("complete");
  });
});

describe("a worker that is lost", () => {
  it.each(["dies", "returns its leases"])(
    "leaves what it finished and frees the rest, when it %s",
    async (how) => {
      const trial = new Trial();
      const [lost, other] = [trial.join(), trial.join()];
      const round = trial.trainRound(1);
      const collected = trial.collect(round);
      const lease = await lost.lease(0);
      const [node = { firstLeaf: 0, numLeaves: 1 }] = lease.nodes;
      other.complete(await other.lease(0));
      // The whole node in one case; in the other half an upload, of which nothing counts.
      if (how === "dies") {
        lost.begin(lease, node);
        lost.stream.drop(new WireError("unavailable", "reset"));
      } else {
        lost.say({ kind: "returnLeases", reason: "asked to leave" });
      }
      const again = await other.lease(1);
      expect(other.leavesOf(again)).toEqual(lost.leavesOf(lease));
      other.complete(again);
      await collected;
      expect(await rootOf(round)).toBe(ALL_FOUR);
      expect(round.lost).toMatchObject([{ worker: lost.id, fence: lease.fence, leaves: [0, 1] }]);
      expect(trial.gradients.numFree).toBe(trial.gradients.numAllocated - 1);
    },
  );

  it("loses its lease when nothing moves for the deadline; a late upload is refused", async () => {
    const trial = new Trial();
    const frozen = trial.join();
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const lease = await frozen.lease(0);
    trial.pass(DEADLINE_MS - 1);
    expect(frozen.sent("revoke")).toEqual([]);
    trial.pass(DEADLINE_MS / 4);
    await vi.waitFor(() => expect(frozen.sent("revoke")).toHaveLength(1));
    expect(trial.notices.at(-1)).toMatch(/has not moved in phase download for 1\.\d s; its leaves/);
    frozen.upload(lease, lease.nodes[0] ?? { firstLeaf: 0, numLeaves: 4 });
    await vi.waitFor(() =>
      expect(frozen.sent("uploadRejected").map(({ reason }) => reason)).toEqual(["staleLease"]),
    );
    const other = trial.join();
    other.complete(await other.lease(0));
    await collected;
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(await trial.count("leases_total", "expired")).toBe(1);
  });

  it("keeps its lease while frames or progress come", async () => {
    const trial = new Trial();
    const slow = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    const lease = await slow.lease(0);
    for (let i = 1; i < 8; i++) {
      trial.pass(DEADLINE_MS * 0.9);
      slow.say({ kind: "progress", fence: lease.fence, phase: "backward", timeSteps: i });
    }
    expect(slow.sent("revoke")).toEqual([]);
    slow.complete(lease);
    await collected;
  });

  it("keeps its lease while parameters are on the way to it, however slowly", async () => {
    const trial = new Trial();
    const slow = trial.join();
    slow.stream.isStuck = true;
    const collected = trial.collect(trial.trainRound(1));
    const lease = await slow.lease(0);
    trial.pass(DEADLINE_MS * 0.9);
    expect(slow.sent("frame")).toEqual([]);
    slow.stream.unstick();
    await vi.waitFor(() => expect(slow.sent("frame")).toHaveLength(1));
    trial.pass(DEADLINE_MS * 0.9);
    expect(slow.sent("revoke")).toEqual([]);
    slow.complete(lease);
    await collected;
  });

  it("is found by a coordinator that is late each time it looks", async () => {
    const trial = new Trial();
    const hung = trial.join();
    void trial.collect(trial.trainRound(1));
    const { fence } = await hung.lease(0);
    let numLooks = 0;
    // Every look is late by seven more.
    while (trial.dispatcher.collecting?.leases.active().length === 1 && numLooks < 50) {
      trial.clock.stall(DEADLINE_MS);
      numLooks += 1;
    }
    await vi.waitFor(() => expect(hung.sent("revoke")).toMatchObject([{ fence }]));
    // An eighth of the deadline counts each time, and its worker has had all of those.
    expect(numLooks).toBe(8);
    trial.abort.abort();
  });

  it("is not blamed when it was the coordinator that stood still", async () => {
    const trial = new Trial();
    const worker = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    const lease = await worker.lease(0);
    // As after a suspended machine: the timer fires late, and the clock has gone on.
    trial.clock.stall(DEADLINE_MS * 5);
    expect(worker.sent("revoke")).toEqual([]);
    expect(worker.stream.ended).toBeUndefined();
    expect(trial.notices.at(-1)).toMatch(/the coordinator itself stood still for 4\.9 s/);
    worker.complete(lease);
    expect((await collected).kind).toBe("complete");
  });

  it("is cut off when it stays silent after its lease went to others", async () => {
    const trial = new Trial();
    const frozen = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    await frozen.lease(0);
    trial.pass(DEADLINE_MS * 1.9);
    expect(frozen.stream.ended).toBeUndefined();
    trial.pass(DEADLINE_MS * 0.3);
    expect(frozen.stream.ended?.error?.message).toMatch(/nothing was heard for 2\.\d s/);
    expect(trial.workers.all()).toEqual([]);
    trial.abort.abort();
    await expect(collected).rejects.toMatchObject({ code: "stopped" });
  });
});

describe("a late lease", () => {
  it("is shared with an idle worker; the first fence stays valid, the first result counts", async () => {
    const trial = new Trial();
    const [slow, quick] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const late = await slow.lease(0);
    quick.complete(await quick.lease(0));
    slow.say({ kind: "progress", fence: late.fence, phase: "forward", timeSteps: 1 });
    trial.pass(DEADLINE_MS * 0.7);
    const second = await quick.lease(1);
    expect(quick.leavesOf(second)).toEqual(slow.leavesOf(late));
    slow.complete(late);
    quick.complete(second);
    await collected;
    expect(round.nodes().map(({ fence }) => fence)).toContain(late.fence);
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(await trial.count("second_leases_total")).toBe(1);
  });

  it("that another worker finished leaves its own worker busy until it says that it ended", async () => {
    const trial = new Trial();
    const [slow, quick] = [trial.join(), trial.join()];
    const collected = trial.collect(trial.trainRound(1));
    const late = await slow.lease(0);
    quick.complete(await quick.lease(0));
    trial.pass(DEADLINE_MS * 0.7);
    quick.complete(await quick.lease(1));
    await collected;
    await vi.waitFor(() => expect(slow.sent("revoke").map((m) => m.fence)).toEqual([late.fence]));
    // Still computing: the next round goes to the other one alone.
    const next = trial.collect(trial.trainRound(2));
    expect(quick.leavesOf(await quick.lease(2))).toEqual([0, 1, 2, 3]);
    slow.end(late);
    quick.complete(await quick.lease(2));
    await next;
    expect(slow.sent("lease")).toHaveLength(1);
  });
});

describe("an upload", () => {
  it.each([
    ["a node of no tree", { firstLeaf: 0, numLeaves: 2 ** 31 }],
    ["a part of a node of its lease", { firstLeaf: 0, numLeaves: 1 }],
    ["a node of another lease", { firstLeaf: 2, numLeaves: 2 }],
  ])("of %s is refused before anything is made for it", async (_, node) => {
    const trial = new Trial();
    const [worker, other] = [trial.join(), trial.join()];
    const collected = trial.collect(trial.trainRound(1));
    const lease = await worker.lease(0);
    worker.begin(lease, node);
    await vi.waitFor(() =>
      expect(worker.sent("uploadRejected").map(({ reason }) => reason)).toEqual(["staleLease"]),
    );
    expect(trial.gradients.numAllocated).toBe(0);
    worker.complete(lease);
    other.complete(await other.lease(0));
    await collected;
  });

  it("that is broken costs its worker the lease, and goes to another; three in a row send it away", async () => {
    const trial = new Trial();
    const [broken, sound] = [trial.join(), trial.join()];
    const change: FakeUpload["change"] = (message) =>
      message.kind === "uploadEnd" ? { ...message, checksum: 7 } : message;
    for (let step = 1; step <= 3; step++) {
      const round = trial.trainRound(step);
      const collected = trial.collect(round);
      broken.complete(await broken.lease(step - 1), { change });
      sound.complete(await sound.lease(2 * step - 2));
      const again = await sound.lease(2 * step - 1);
      expect(sound.leavesOf(again)).toEqual([0, 1]);
      sound.complete(again);
      expect((await collected).kind).toBe("complete");
      expect(await rootOf(round)).toBe(ALL_FOUR);
    }
    await vi.waitFor(() => expect(broken.sent("stop")).toHaveLength(1));
    expect(broken.sent("stop")[0]).toMatchObject({ failed: true });
    expect(trial.notices.at(-1)).toMatch(/quarantined: it failed too often in a row/);
    expect(await trial.count("uploads_rejected_total", "checksum")).toBe(3);
    expect(await trial.count("workers_quarantined_total")).toBe(1);
  });

  it("supersedes nothing that is there already, and is told so", async () => {
    const trial = new Trial(2);
    const [slow, quick] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const late = await slow.lease(0);
    const other = await quick.lease(0);
    trial.pass(DEADLINE_MS * 0.4);
    quick.complete(other);
    trial.pass(DEADLINE_MS * 0.3);
    const transfer = slow.begin(late, { firstLeaf: 0, numLeaves: 1 });
    expect(transfer).toBe(1);
    quick.complete(await quick.lease(1));
    await collected;
    expect(await rootOf(round)).toBe(3);
    slow.say({ kind: "uploadEnd", transfer, leaves: [], numFrames: 0, checksum: 0 });
    await vi.waitFor(() => expect(slow.sent("revoke")).toHaveLength(1));
    expect(trial.gradients.numFree).toBe(trial.gradients.numAllocated - 1);
  });
});

describe("a lease that fails", () => {
  it("is not tried for ever: its leaves end the run, naming leaf, workers and reason", async () => {
    const trial = new Trial();
    const collected = trial.collect(trial.trainRound(3));
    for (let i = 0; i < 2; i++) {
      const worker = trial.join();
      for (let index = 0; index < 3; index++) {
        worker.end(await worker.lease(index), "out of memory");
      }
    }
    await expect(collected).rejects.toMatchObject({ code: "leafFailed" });
    await expect(collected).rejects.toThrow(
      "step 3: leaf 0 failed 6 times, on worker-1-1, worker-1-2; last: out of memory",
    );
  });

  it("without a word counts as well, and does not end a run that another worker can go on with", async () => {
    const trial = new Trial();
    const [idle, sound] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    idle.end(await idle.lease(0));
    sound.complete(await sound.lease(0));
    sound.complete(await sound.lease(1));
    expect((await collected).kind).toBe("complete");
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(idle.sent("lease")).toHaveLength(1);
    expect(trial.notices.at(-1)).toBe(`${idle.id} failed a lease: it ended early`);
  });

  it("of an evaluation, with results missing, is refused and not asked for without end", async () => {
    const trial = new Trial();
    const collected = trial.collect(trial.evaluationRound(2));
    for (let i = 0; i < 2; i++) {
      const worker = trial.join();
      for (let index = 0; index < 3; index++) {
        const { step, fence } = await worker.lease(index);
        worker.say({
          ...{ kind: "evaluationResult", jobId: "job", incarnation: 1, step, fence },
          leaves: [],
        });
        worker.end(await worker.lease(index));
      }
    }
    await expect(collected).rejects.toThrow(/leaf 0 failed 6 times.*not each leaf of the lease/);
  });

  it("makes the coordinator send the parameters anew: they may be what was missing", async () => {
    const trial = new Trial();
    const worker = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    worker.end(await worker.lease(0), "parameters 0 are no longer here");
    worker.complete(await worker.lease(1));
    await collected;
    expect(worker.sent("parameters").map(({ version }) => version)).toEqual([0, 0]);
  });
});

describe("a result that is not finite", () => {
  const nan: FakeUpload = { gradientOf: () => NaN };

  it("goes to another worker; finite there, the first one is to blame", async () => {
    const trial = new Trial();
    const [bad, good] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    bad.complete(await bad.lease(0), nan);
    good.complete(await good.lease(0));
    good.complete(await good.lease(1));
    expect((await collected).kind).toBe("complete");
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(trial.notices.join("\n")).toContain(
      `${bad.id} sent a result that is not finite (gradient value 0 is NaN)`,
    );
  });

  it("that another worker reproduces is the run's own", async () => {
    const trial = new Trial();
    const [first, second] = [trial.join(), trial.join()];
    const collected = trial.collect(trial.trainRound(1));
    first.complete(await first.lease(0), nan);
    second.complete(await second.lease(0));
    second.complete(await second.lease(1), nan);
    expect(await collected).toMatchObject({
      kind: "nonFinite",
      node: { firstLeaf: 0, numLeaves: 2 },
    });
  });

  it("goes to the other worker also when that one is just about to be idle", async () => {
    const trial = new Trial();
    const [first, second] = [trial.join(), trial.join()];
    const collected = trial.collect(trial.trainRound(1));
    const leases = [await first.lease(0), await second.lease(0)] as const;
    // Both in the same instant, neither lease ended yet: nobody is idle, and neither is alone.
    first.upload(leases[0], { firstLeaf: 0, numLeaves: 2 }, nan);
    second.upload(leases[1], { firstLeaf: 2, numLeaves: 2 }, nan);
    first.end(leases[0]);
    second.end(leases[1]);
    const [again, other] = [await second.lease(1), await first.lease(1)];
    expect(second.leavesOf(again)).toEqual([0, 1]);
    expect(first.leavesOf(other)).toEqual([2, 3]);
    second.complete(again, nan);
    expect((await collected).kind).toBe("nonFinite");
  });

  it("is tried again by the same worker when the only other one hangs", async () => {
    const trial = new Trial();
    const [bad, hung] = [trial.join(), trial.join()];
    const collected = trial.collect(trial.trainRound(1));
    await hung.lease(0);
    bad.complete(await bad.lease(0), nan);
    trial.pass(DEADLINE_MS * 0.7);
    const late = await bad.lease(1);
    expect(bad.leavesOf(late)).toEqual([2, 3]);
    bad.complete(late);
    // Nobody else is left to ask.
    bad.complete(await bad.lease(2), nan);
    expect((await collected).kind).toBe("nonFinite");
  });

  it("in an evaluation is asked for twice before it counts", async () => {
    const trial = new Trial();
    const [first, second] = [trial.join(), trial.join()];
    const round = trial.evaluationRound(5);
    const collected = trial.collect(round);
    const lossOf = (leaf: number): number => (leaf === 1 ? NaN : 1);
    first.complete(await first.lease(0), { lossOf });
    second.complete(await second.lease(0), { lossOf });
    expect(round.isComplete).toBe(false);
    const again = await second.lease(1);
    expect(second.leavesOf(again)).toEqual([1]);
    second.complete(again, { lossOf });
    expect((await collected).kind).toBe("complete");
    expect(round.results().map(({ lossSum }) => lossSum)).toEqual([1, NaN, 1, 1]);
  });
});

describe("a minimum of workers", () => {
  const trialOfTwo = (): Trial => new Trial(4, NO_STATISTICS, undefined, 2);

  it("keeps a step from beginning until enough are here", async () => {
    const trial = trialOfTwo();
    const first = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    trial.pass(DEADLINE_MS);
    await Promise.resolve();
    expect(first.sent("lease")).toEqual([]);
    expect(trial.dispatcher.collecting).toMatchObject({ begunAtMs: undefined });
    const second = trial.join();
    for (const worker of [first, second]) worker.complete(await worker.lease(0));
    expect((await collected).kind).toBe("complete");
  });

  it("does not hold up a step that has begun: who is left finishes it, and no other begins", async () => {
    const trial = trialOfTwo();
    const [first, second] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    await second.lease(0);
    second.stream.drop(new WireError("unavailable", "killed"));
    first.complete(await first.lease(0));
    // The dead one's leaves.
    first.complete(await first.lease(1));
    expect((await collected).kind).toBe("complete");
    expect(await rootOf(round)).toBe(ALL_FOUR);
    const next = trial.collect(trial.trainRound(2));
    trial.pass(DEADLINE_MS);
    await Promise.resolve();
    expect(first.sent("lease")).toHaveLength(2);
    const third = trial.join();
    for (const [worker, index] of [
      [first, 2],
      [third, 0],
    ] as const) {
      worker.complete(await worker.lease(index));
    }
    expect((await next).kind).toBe("complete");
  });
});

describe("a heartbeat", () => {
  it("shows that a process is there, and renews no lease", async () => {
    const trial = new Trial();
    const worker = trial.join();
    void trial.collect(trial.trainRound(1));
    const { fence } = await worker.lease(0);
    trial.pass(DEADLINE_MS / 2);
    worker.say({ kind: "heartbeat" });
    expect(worker.session.heardAtMs).toBe(trial.clock.now());
    expect(worker.session.busyAndSilentSinceMs).toBe(0);
    trial.pass(DEADLINE_MS / 2);
    await vi.waitFor(() => expect(worker.sent("revoke").map((m) => m.fence)).toEqual([fence]));
    trial.abort.abort();
  });
});

describe("the speed of a worker", () => {
  it("is its samples over the time from lease to result", async () => {
    const trial = new Trial();
    const worker = trial.join();
    expect(trial.dispatcher.speedOf(worker.id)).toBeNaN();
    const collected = trial.collect(trial.trainRound(1));
    const lease = await worker.lease(0);
    trial.pass(500);
    worker.complete(lease);
    await collected;
    // Four leaves of two samples each in half a second.
    expect(trial.dispatcher.speedOf(worker.id)).toBe(16);
  });

  it("is not that of what another worker was first with", async () => {
    const trial = new Trial(8);
    const [quick, second, late] = [trial.join(), trial.join(), trial.join()];
    const collected = trial.collect(trial.trainRound(1));
    const lease = await late.lease(0);
    expect(late.leavesOf(lease)).toEqual([5, 6, 7]);
    quick.complete(await quick.lease(0));
    second.complete(await second.lease(0));
    trial.pass(DEADLINE_MS / 2);
    const help = await quick.lease(1);
    expect(quick.leavesOf(help)).toEqual([5, 6, 7]);
    trial.pass(DEADLINE_MS / 10);
    quick.upload(help, { firstLeaf: 6, numLeaves: 2 });
    late.upload(lease, { firstLeaf: 5, numLeaves: 1 });
    await collected;
    // Two samples in 0.6 s by the one, four in 0.1 s by the other.
    expect(trial.dispatcher.speedOf(late.id)).toBeCloseTo(2 / 0.6, 9);
    expect(trial.dispatcher.speedOf(quick.id)).toBeCloseTo(4 / 0.1, 9);
  });
});

describe("a coordinator whose run another one has", () => {
  it("sends nothing to workers any more, and its round ends with the reason", async () => {
    const trial = new Trial();
    const worker = trial.join();
    const lost = new Error("incarnation 1 was superseded");
    trial.requireHeld = () => {
      throw lost;
    };
    const ended = trial.collect(trial.trainRound(1));
    await expect(ended).rejects.toBe(lost);
    expect(worker.sent("lease")).toEqual([]);
  });
});
