import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import type { JoinReply } from "@ostinato/proto";
import { WireError } from "@ostinato/proto";
import { createLogger, ManualClock } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeCompute, PROFILE } from "../../test/support/fake-compute.js";
import type { FakeStream } from "../../test/support/fake-link.js";
import { FakeLink, joinReply, parameters } from "../../test/support/fake-link.js";
import { createWorkerMetrics } from "../ops/index.js";
import { WorkerSession } from "./worker-session.js";

const { logger } = createLogger({ process: "test" });
const dataset = new TextEncoder().encode("a data set");
const dataDigest = createHash("sha256").update(dataset).digest("hex");

let cacheDirectory: string;

beforeEach(async () => {
  cacheDirectory = await mkdtemp(join(tmpdir(), "worker-session-"));
});

afterEach(async () => {
  await rm(cacheDirectory, { recursive: true });
});

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** A session whose joins answer by the list, the last answer for ever. */
function started(answers: readonly (Partial<JoinReply> | Error)[], compute = new FakeCompute()) {
  const clock = new ManualClock();
  const drain = new AbortController();
  const links: FakeLink[] = [];
  const streams: FakeStream[] = [];
  const joinedAtMs: number[] = [];
  let numFetches = 0;
  let onStream: () => void = () => undefined;
  const connect = (): FakeLink => {
    const link = new FakeLink({
      join: async () => {
        await Promise.resolve();
        const answer = answers[Math.min(joinedAtMs.length, answers.length - 1)];
        joinedAtMs.push(clock.now());
        if (answer instanceof Error) throw answer;
        return joinReply({ dataDigest, ...answer });
      },
      data: async function* () {
        numFetches += 1;
        await Promise.resolve();
        const totalBytes = dataset.length;
        yield { offset: 0, totalBytes, payload: dataset, crc32: crc32(dataset) };
      },
      onStream: (stream) => {
        streams.push(stream);
        onStream();
      },
    });
    links.push(link);
    return link;
  };
  const session = new WorkerSession(
    {
      address: "127.0.0.1:7070",
      workerName: "here",
      deadlineMs: 1000,
      backends: ["wasm", "cpu"],
      cacheDirectory,
    },
    {
      connect,
      compute,
      clock,
      random: () => 0.5,
      logger,
      metrics: createWorkerMetrics(new Registry(), { version: "test", node: "test" }),
      drain: drain.signal,
    },
  );
  const end = session.run();
  end.catch(() => undefined);
  const streamAt = async (index: number): Promise<FakeStream> => {
    for (;;) {
      const stream = streams[index];
      if (stream !== undefined) return stream;
      await new Promise<void>((resolve) => {
        onStream = resolve;
      });
    }
  };
  return {
    session,
    end,
    clock,
    compute,
    drain,
    links,
    joinedAtMs,
    streamAt,
    numFetches: () => numFetches,
  };
}

const unavailable = new WireError("unavailable", "connect ECONNREFUSED 127.0.0.1:7070");

describe("WorkerSession", () => {
  it("joins, loads the data once, attaches with its token, and ends when told to stop", async () => {
    const { session, end, compute, streamAt, links } = started([{}]);
    const stream = await streamAt(0);
    expect(await stream.sentOfKind("attach")).toEqual({
      kind: "attach",
      workerId: "worker-1",
      streamToken: "token",
    });
    expect(session.state).toBe("attached");
    expect(compute.setups).toHaveLength(1);
    expect(compute.setups[0]).toMatchObject({ backend: "wasm", dataset });
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toEqual({ kind: "stop", failed: false, reason: "completed" });
    expect(session.state).toBe("ended");
    expect(links.map((link) => link.isClosed)).toEqual([true]);
  });

  it("tries an absent coordinator ever more rarely until the deadline, then says so once", async () => {
    const { end, clock, joinedAtMs } = started([unavailable]);
    let outcome: unknown;
    end.catch((error: unknown) => {
      outcome = error;
    });
    for (let ms = 0; ms <= 1100 && outcome === undefined; ms += 5) {
      await settle();
      clock.advance(5);
    }
    await settle();
    expect(outcome).toMatchObject({
      code: "unreachable",
      message:
        "no coordinator at 127.0.0.1:7070: tried for 1 s (5 attempts), last: connect ECONNREFUSED 127.0.0.1:7070",
    });
    // Pauses of three quarters (random is 0.5) of 100, 200, 400, 800; the last is cut at the deadline.
    const startMs = joinedAtMs[0] ?? 0;
    expect(joinedAtMs.map((ms) => ms - startMs)).toEqual([0, 75, 225, 525, 1000]);
  });

  it("takes a coordinator that comes in time", async () => {
    const { end, clock, streamAt } = started([unavailable, unavailable, {}]);
    for (let i = 0; i < 60; i++) {
      await settle();
      clock.advance(5);
    }
    const stream = await streamAt(0);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toMatchObject({ kind: "stop" });
  });

  it.each([
    ["profileRefused", "the run computes with wasm 4.21"],
    ["protocolVersion", "the coordinator speaks protocol 2, not 1"],
  ] as const)("ends at once when it is refused for %s", async (code, message) => {
    const { end, joinedAtMs } = started([new WireError(code, message)]);
    await expect(end).rejects.toMatchObject({
      code: "refused",
      message: `refused by 127.0.0.1:7070: ${message}`,
    });
    expect(joinedAtMs).toHaveLength(1);
  });

  it("refuses a profile that it did not offer", async () => {
    const { end } = started([{ profile: { ...PROFILE, digest: "other" } }]);
    await expect(end).rejects.toMatchObject({ code: "refused" });
  });

  it("ends when no backend works", async () => {
    const compute = new FakeCompute();
    compute.offers = [];
    const { end } = started([{}], compute);
    await expect(end).rejects.toMatchObject({
      code: "noBackend",
      message: "none of the backends wasm, cpu works here",
    });
  });

  it("joins anew when the stream is lost, drops what it held, and does not fetch again", async () => {
    const { end, clock, compute, streamAt, numFetches } = started([{}, { incarnation: 2 }]);
    const first = await streamAt(0);
    const train = {
      kind: "lease",
      lease: {
        fence: 1,
        leaseKind: "train",
        step: 1,
        version: 0,
        epoch: 0,
        epochStep: 0,
        nodes: [{ firstLeaf: 0, numLeaves: 1 }],
        leaves: [{ leaf: 0, state: "zero" }],
        split: "",
        transfer: 0,
        lossWeightTotals: [],
      },
    } as const;
    first.push(...parameters(0), train);
    await first.sentOfKind("leaseEnded");
    first.fail(new WireError("unavailable", "connection dropped"));
    await settle();
    clock.advance(100);
    const second = await streamAt(1);
    expect(await second.sentOfKind("attach")).toBeDefined();
    // The state of step 1 and the parameters belonged to the first incarnation.
    const next = {
      ...train.lease,
      fence: 2,
      step: 2,
      leaves: [{ leaf: 0, state: "held" }],
    } as const;
    second.push(...parameters(0), { kind: "lease", lease: next });
    expect(await second.sentOfKind("leaseEnded")).toMatchObject({
      fence: 2,
      error: "the state of leaf 0 after step 1 is not held here",
    });
    expect(numFetches()).toBe(1);
    expect(compute.setups).toHaveLength(2);
    second.push({ kind: "stop", failed: false, reason: "completed" });
    await end;
  });

  it("counts the deadline of a lost coordinator from its loss, with the deadline of the run", async () => {
    const { end, clock, streamAt } = started([{ deadlineMs: 2000 }, unavailable]);
    const stream = await streamAt(0);
    stream.push(...parameters(0));
    await settle();
    clock.advance(3_600_000);
    stream.close();
    let outcome: unknown;
    end.catch((error: unknown) => {
      outcome = error;
    });
    let elapsedMs = 0;
    while (outcome === undefined && elapsedMs < 3000) {
      await settle();
      clock.advance(50);
      elapsedMs += 50;
    }
    expect(outcome).toMatchObject({ code: "unreachable" });
    expect((outcome as Error).message).toMatch(
      /^the coordinator at 127\.0\.0\.1:7070 is gone: tried for 2 s/,
    );
  });

  it("ends when another job answers at the address", async () => {
    const { end, clock, streamAt } = started([{}, { jobId: "job-2" }]);
    const stream = await streamAt(0);
    stream.close();
    await settle();
    clock.advance(100);
    await expect(end).rejects.toMatchObject({
      code: "jobChanged",
      message: expect.stringContaining("job-2, not job-1") as string,
    });
  });

  it("gives up a stream whose parameters do not have their digest, and joins anew", async () => {
    const { end, clock, streamAt } = started([{}]);
    const first = await streamAt(0);
    const [announcement, ...frames] = parameters(0);
    if (announcement?.kind !== "parameters") expect.unreachable();
    first.push({ ...announcement, digest: new Uint8Array(32) }, ...frames);
    await first.ended();
    await settle();
    expect(first.isCancelled).toBe(true);
    clock.advance(100);
    const second = await streamAt(1);
    second.push({ kind: "stop", failed: false, reason: "completed" });
    await end;
  });

  it("drains: returns its leases at once, ends its side, leaves when the coordinator has read it", async () => {
    const { end, drain, compute, streamAt } = started([{}]);
    compute.holdsTasks = true;
    const stream = await streamAt(0);
    stream.push(...parameters(0), {
      kind: "lease",
      lease: {
        fence: 1,
        leaseKind: "train",
        step: 1,
        version: 0,
        epoch: 0,
        epochStep: 0,
        nodes: [{ firstLeaf: 0, numLeaves: 1 }],
        leaves: [{ leaf: 0, state: "zero" }],
        split: "",
        transfer: 0,
        lossWeightTotals: [],
      },
    });
    await stream.sentOfKind("progress");
    drain.abort();
    await stream.sentOfKind("returnLeases");
    await stream.ended();
    expect(stream.isCancelled).toBe(false);
    stream.close();
    expect(await end).toEqual({ kind: "drained" });
    expect(stream.sent.map(({ kind }) => kind).at(-1)).toBe("returnLeases");
  });

  it("drains before it has joined, without a word to anybody", async () => {
    const { end, drain } = started([unavailable]);
    await settle();
    drain.abort();
    expect(await end).toEqual({ kind: "drained" });
  });

  it("waits no longer than the deadline for a coordinator that ignores the drain", async () => {
    const { end, clock, drain, streamAt } = started([{ deadlineMs: 700 }]);
    const stream = await streamAt(0);
    drain.abort();
    await stream.ended();
    await settle();
    clock.advance(700);
    expect(await end).toEqual({ kind: "drained" });
  });
});
