/** A worker with a token and an identity, which wants more of its coordinator than its work calls for. */
import { encodeFrames } from "@ostinato/proto";
import { describe, expect, it, vi } from "vitest";
import { ProfilePolicy } from "../src/membership/index.js";
import { createHandlers, DataFetches } from "../src/rpc/index.js";
import { StagedUpload } from "../src/steps/index.js";
import { EventHub } from "../src/training/index.js";
import { DEADLINE_MS, NO_STATISTICS, Trial } from "./support/trial.js";

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

describe("an upload cut into ever smaller frames", () => {
  it("has a bound on their number", () => {
    const numParameters = 70_000;
    const staged = new StagedUpload(
      {
        node: { firstLeaf: 0, numLeaves: 1 },
        numParameters,
        stateSizeOf: () => 0,
        statistics: NO_STATISTICS,
        isRounded: false,
        totalLossWeight: 1,
      },
      new Float32Array(numParameters),
    );
    const values = new Float32Array(1);
    for (let firstValue = 0; !staged.hasFailed && firstValue < numParameters; firstValue++) {
      for (const frame of encodeFrames({
        transfer: 1,
        transferKind: "gradient",
        firstValue,
        values,
      })) {
        staged.receive(frame);
      }
    }
    expect(staged.finish({ leaves: [], numFrames: 0, checksum: 0 })).toEqual({
      kind: "rejected",
      reason: "shape",
      detail: "more than 65536 frames",
    });
  });
});

describe("identities that are asked for and never used", () => {
  it("have a bound, and are forgotten after a deadline", async () => {
    const trial = new Trial();
    const handlers = createHandlers(
      {
        ...{ jobId: "job", incarnation: 1, configJson: "{}", modelJson: "{}", dataDigest: "aa" },
        ...{ data: new Uint8Array(0), deadlineMs: DEADLINE_MS },
      },
      {
        ...{ clock: trial.clock, logger: trial.logger, metrics: trial.metrics },
        ...{ workers: trial.workers, dispatcher: trial.dispatcher, memory: undefined },
        profiles: new ProfilePolicy({
          ...{ backend: "auto", determinism: "strict", profile: undefined },
        }),
        events: new EventHub(),
        fetches: new DataFetches(trial.clock),
        status: () => {
          throw new Error("not called");
        },
        onNewProfile: () => undefined,
        isEnding: () => false,
      },
    );
    const profiles = [{ backend: "wasm", version: "1", digest: "0" }];
    const request = { protocolVersion: 1, workerName: "greedy", profiles };
    const join = (): Promise<unknown> => handlers.join(request, { peer: "x", certificate: "" });
    for (let i = 0; i < 4096; i++) await join();
    expect(() => join()).toThrow(expect.objectContaining({ code: "resourceExhausted" }));
    trial.clock.advance(DEADLINE_MS);
    await expect(join()).resolves.toMatchObject({ workerId: "worker-1-4097" });
    expect(trial.workers.size).toBe(1);
  });
});
