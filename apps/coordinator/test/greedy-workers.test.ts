/** A worker with a token and an identity, which wants more of its coordinator than its work calls for. */
import { encodeFrames } from "@ostinato/proto";
import type { CoordinatorHandlers, Refusal, WorkerMessage } from "@ostinato/proto";
import { describe, expect, it, vi } from "vitest";
import { ProfilePolicy } from "../src/membership/index.js";
import { createHandlers, DataFetches } from "../src/rpc/index.js";
import { StagedUpload } from "../src/steps/index.js";
import { EventHub } from "../src/training/index.js";
import { FakeStream } from "./support/fake-stream.js";
import { DEADLINE_MS, NO_STATISTICS, Trial } from "./support/trial.js";

const CALLER = { peer: "192.0.2.1:50412", address: "192.0.2.1", certificate: "" };

/** The service of a coordinator around a trial's parts. */
function handlersOf(trial: Trial, refusals: Refusal[]): CoordinatorHandlers {
  return createHandlers(
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
      onRefused: (refusal) => refusals.push(refusal),
      onNewProfile: () => undefined,
      isEnding: () => false,
    },
  );
}

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

describe("streams that belong to no worker", () => {
  it("are told by the one who counts and bounds what is told, and by nobody else", () => {
    const trial = new Trial();
    const warned = vi.spyOn(trial.logger, "warn");
    const refusals: Refusal[] = [];
    const handlers = handlersOf(trial, refusals);
    const train = (...messages: WorkerMessage[]): FakeStream => {
      const stream = new FakeStream();
      handlers.train(stream, CALLER);
      for (const message of messages) stream.deliver(message);
      return stream;
    };
    const attach: WorkerMessage = {
      kind: "attach",
      workerId: "worker-1-99",
      streamToken: "none",
      sharesMemory: false,
    };
    for (let i = 0; i < 1000; i++) train(attach);
    const text = "no worker worker-1-99 joined with this token";
    expect(refusals).toHaveLength(1000);
    expect(refusals[0]).toEqual({ reason: "stream", address: "192.0.2.1", text });
    const silent = train();
    const wordy = train({ kind: "heartbeat" });
    trial.clock.advance(DEADLINE_MS);
    expect(silent.ended?.error).toMatchObject({ code: "streamRefused" });
    expect(wordy.ended?.error).toMatchObject({ code: "badMessage" });
    expect(refusals.slice(1000).map((refusal) => refusal.text)).toEqual([
      "the first message is heartbeat, not attach",
      "no attach within the deadline",
    ]);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe("workers that come back to be refused again", () => {
  it("have their uploads counted, all of them, and told in a log that they cannot fill", async () => {
    const trial = new Trial();
    const warned = vi.spyOn(trial.logger, "warn");
    const first = trial.join();
    void trial.collect(trial.trainRound(1));
    const lease = await first.lease(0);
    for (let joined = 0; joined < 20; joined++) {
      const insisting = trial.join();
      for (let i = 0; i < 256; i++) {
        insisting.begin({ ...lease, fence: 99 }, { firstLeaf: 0, numLeaves: 1 });
      }
      insisting.stream.drop();
    }
    const told = (): readonly string[] =>
      warned.mock.calls.map((call) => String(call[1])).filter((line) => line.startsWith("upload"));
    expect(await trial.count("uploads_rejected_total", "staleLease")).toBe(20 * 256);
    expect(told()).toHaveLength(1024);
    trial.pass(1000);
    trial.join().begin({ ...lease, fence: 99 }, { firstLeaf: 0, numLeaves: 1 });
    expect(told().at(-1)).toMatch(
      new RegExp(`^upload refused: .* \\(${20 * 256 - 1024} refusals before it are not told\\)$`),
    );
    trial.abort.abort();
  });

  it("have the ends of their streams told at a rate", () => {
    const trial = new Trial();
    const warned = vi.spyOn(trial.logger, "warn");
    for (let joined = 0; joined < 1000; joined++) {
      trial.join().say({
        ...{ kind: "attach", workerId: "any", streamToken: "any", sharesMemory: false },
      });
    }
    expect(warned).toHaveBeenCalledTimes(256);
  });
});

describe("a worker that says the same again and again", () => {
  it("is told of once when it leaves", async () => {
    const trial = new Trial();
    const leaving = trial.join();
    void trial.collect(trial.trainRound(1));
    await leaving.lease(0);
    for (let i = 0; i < 1000; i++) leaving.say({ kind: "returnLeases", reason: "SIGTERM" });
    expect(trial.notices.filter((text) => text.includes("leaves"))).toHaveLength(1);
    trial.abort.abort();
  });

  it("is told of no more once it is sent away for its failures, whether it reads that or not", async () => {
    const trial = new Trial();
    const failing = trial.join();
    void trial.collect(trial.trainRound(1));
    await failing.lease(0);
    failing.stream.isStuck = true;
    for (let i = 0; i < 1000; i++) failing.say({ kind: "leaseEnded", fence: 99, error: "broken" });
    const told = trial.notices.filter((text) => text.includes("broken"));
    expect(told.length).toBeLessThan(20);
    expect(told.at(-1)).toContain("is quarantined");
    trial.abort.abort();
  });
});

describe("identities that are asked for and never used", () => {
  it("have a bound for each address and one for all, and are forgotten after a deadline", async () => {
    const trial = new Trial();
    const handlers = handlersOf(trial, []);
    const profiles = [{ backend: "wasm", version: "1", digest: "0" }];
    const request = { protocolVersion: 1, workerName: "greedy", profiles };
    const join = (address: string): Promise<unknown> =>
      handlers.join(request, { ...CALLER, address });
    for (let i = 0; i < 512; i++) await join("192.0.2.1");
    expect(() => join("192.0.2.1")).toThrow(
      expect.objectContaining({
        code: "resourceExhausted",
        message:
          "512 workers of one address have joined and opened no stream; try again when some have left",
      }),
    );
    // One that opens its stream makes room for the next.
    trial.workers.attach("worker-1-1", "token", trial.join().session);
    await join("192.0.2.1");
    for (let i = trial.workers.size; i < 4096; i++) await join(`192.0.2.${2 + (i % 200)}`);
    expect(() => join("198.51.100.1")).toThrow(
      expect.objectContaining({
        code: "resourceExhausted",
        message: "4096 workers have joined; try again when some have left",
      }),
    );
    trial.clock.advance(DEADLINE_MS);
    await expect(join("192.0.2.1")).resolves.toMatchObject({ workerId: "worker-1-4097" });
    // The one that came now, and the two that have a stream.
    expect(trial.workers.size).toBe(3);
  });
});
