/** A worker with a token and an identity, which wants more of its coordinator than its work calls for. */
import { describe, expect, it, vi } from "vitest";
import { Trial } from "./support/trial.js";

describe("a worker that begins uploads and ends none", () => {
  it("has the nodes of its lease staged, each once, and no other", async () => {
    const trial = new Trial(8);
    const greedy = trial.join();
    const acquired = vi.spyOn(trial.gradients, "acquire");
    const collected = trial.collect(trial.trainRound(1));
    const lease = await greedy.lease(0);
    const [node] = lease.nodes;
    if (node === undefined) throw new Error("the lease has no node");
    for (let i = 0; i < 20; i++) greedy.begin(lease, node);
    for (let leaf = 0; leaf < 8; leaf++) greedy.begin(lease, { firstLeaf: leaf, numLeaves: 1 });
    // A gradient's memory for each node of the lease; frames of the others go nowhere.
    expect(acquired).toHaveBeenCalledTimes(lease.nodes.length);
    expect(await trial.count("uploads_rejected_total", "duplicate")).toBe(20);
    expect(await trial.count("uploads_rejected_total", "staleLease")).toBe(7);
    greedy.stream.drop();
    trial.join().serve();
    expect(await collected).toMatchObject({ kind: "complete" });
  });
});

describe("a worker that is refused again and again", () => {
  it("is let go before it has filled the log", async () => {
    const trial = new Trial();
    const insisting = trial.join();
    void trial.collect(trial.trainRound(1));
    const lease = await insisting.lease(0);
    for (let i = 0; i < 1000; i++) {
      insisting.begin({ ...lease, fence: 99 }, { firstLeaf: 0, numLeaves: 1 });
    }
    expect(insisting.stream.ended?.error).toMatchObject({ code: "resourceExhausted" });
    expect(await trial.count("uploads_rejected_total", "staleLease")).toBeLessThanOrEqual(257);
    trial.abort.abort();
  });

  it("is not, where time passes between its refusals", async () => {
    const trial = new Trial();
    const late = trial.join();
    void trial.collect(trial.trainRound(1));
    const lease = await late.lease(0);
    for (let i = 0; i < 600; i++) {
      trial.pass(100);
      late.say({ kind: "progress", fence: lease.fence, phase: "forward", timeSteps: i });
      late.begin({ ...lease, fence: 99 }, { firstLeaf: 0, numLeaves: 1 });
    }
    expect(late.stream.ended).toBeUndefined();
    trial.abort.abort();
  });
});

describe("a worker that reads nothing", () => {
  it("has a bound on what waits for it", async () => {
    const trial = new Trial();
    const deaf = trial.join();
    void trial.collect(trial.trainRound(1));
    await deaf.lease(0);
    deaf.stream.isStuck = true;
    for (let fence = 100; fence < 1200; fence++) deaf.session.revoke(fence, "over");
    await vi.waitFor(() =>
      expect(deaf.stream.ended?.error).toMatchObject({ code: "resourceExhausted" }),
    );
    expect(trial.workers.get(deaf.id)).toBeUndefined();
    trial.abort.abort();
  });
});
