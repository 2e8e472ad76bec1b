import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import type { JoinReply, NumericsProfile } from "@ostinato/proto";
import { createSegmentFolder, removeSegmentFolder, WireError } from "@ostinato/proto";
import { createLogger, ManualClock } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeCompute, PROFILE } from "../../test/support/fake-compute.js";
import type { FakeStream } from "../../test/support/fake-link.js";
import { FakeLink, joinReply, parameters } from "../../test/support/fake-link.js";
import { until } from "../../test/support/until.js";
import { WorkerError } from "../errors/index.js";
import { createWorkerMetrics } from "../ops/index.js";
import { joinSharedMemory } from "../segments/index.js";
import { Offers } from "./offers.js";
import { WorkerSession } from "./worker-session.js";

const dataset = new TextEncoder().encode("a data set");
const dataDigest = createHash("sha256").update(dataset).digest("hex");

let cacheDirectory: string;

beforeEach(async () => {
  cacheDirectory = await mkdtemp(join(tmpdir(), "worker-session-"));
});

afterEach(async () => {
  await rm(cacheDirectory, { recursive: true });
});

interface StartOptions {
  readonly compute?: FakeCompute;
  readonly clock?: ManualClock;
  /** Called before the data set is sent; may throw. */
  readonly onFetch?: (numFetches: number) => void;
  readonly onStream?: (stream: FakeStream) => void;
}

/** A session whose joins answer by the list, the last answer for ever. */
function started(answers: readonly (Partial<JoinReply> | Error)[], options: StartOptions = {}) {
  const { compute = new FakeCompute(), clock = new ManualClock() } = options;
  const file = join(cacheDirectory, "logs", "worker.log");
  const { logger } = createLogger({ process: "test", file, level: "debug" });
  const warnings = (): string[] =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<"level" | "msg" | "reason", string>)
      .filter(({ level }) => level === "warn")
      .map(({ msg, reason }) => `${msg}: ${reason}`);
  const registry = new Registry();
  const drain = new AbortController();
  const links: FakeLink[] = [];
  const streams: FakeStream[] = [];
  const joinedAtMs: number[] = [];
  const offered: (readonly NumericsProfile[])[] = [];
  let numFetches = 0;
  let onStream: () => void = () => undefined;
  const connectedWithMs: number[] = [];
  const connect = (deadlineMs: number): FakeLink => {
    connectedWithMs.push(deadlineMs);
    const link = new FakeLink({
      join: async ({ profiles }) => {
        await Promise.resolve();
        offered.push(profiles);
        const answer = answers[Math.min(joinedAtMs.length, answers.length - 1)];
        joinedAtMs.push(clock.now());
        if (answer instanceof Error) throw answer;
        return joinReply({ dataDigest, ...answer });
      },
      data: async function* () {
        numFetches += 1;
        await Promise.resolve();
        options.onFetch?.(numFetches);
        const totalBytes = dataset.length;
        yield { offset: 0, totalBytes, payload: dataset, crc32: crc32(dataset) };
      },
      onStream: (stream) => {
        streams.push(stream);
        options.onStream?.(stream);
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
      cacheDirectory,
    },
    {
      connect,
      shareMemory: (identity) => joinSharedMemory(identity, { owner: process, logger }),
      compute,
      offers: new Offers(["wasm", "cpu"], compute),
      clock,
      random: () => 0.5,
      logger,
      metrics: createWorkerMetrics(registry, { version: "test", node: "test" }),
      drain: drain.signal,
    },
  );
  const end = session.run();
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  end.then(over, over);
  /** Lets time pass whenever the session waits for it. */
  const runClock = async (stepMs: number, isDone = (): boolean => isOver): Promise<void> => {
    for (;;) {
      await until(() => isDone() || clock.numTimers > 0);
      if (isDone()) return;
      clock.advance(stepMs);
    }
  };
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
    offered,
    connectedWithMs,
    warnings,
    registry,
    streams,
    runClock,
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
      sharesMemory: false,
    });
    expect(session.state).toBe("attached");
    expect(compute.setups).toHaveLength(1);
    expect(compute.setups[0]).toMatchObject({ backend: "wasm", dataset: { digest: dataDigest } });
    expect(compute.dataset).toEqual(dataset);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toEqual({ kind: "stop", failed: false, reason: "completed" });
    expect(session.state).toBe("ended");
    expect(links.every((link) => link.isClosed)).toBe(true);
  });

  it("tries an absent coordinator ever more rarely until the deadline, then says so once", async () => {
    const { end, joinedAtMs, links, warnings, runClock } = started([unavailable]);
    await runClock(5);
    await expect(end).rejects.toMatchObject({
      code: "unreachable",
      message:
        "no coordinator at 127.0.0.1:7070: tried for 1 s (10 attempts), last: connect ECONNREFUSED 127.0.0.1:7070",
    });
    // Pauses of a half (random is 0.5) of 100, 200, and of a quarter of the deadline; the last is cut.
    const startMs = joinedAtMs[0] ?? 0;
    expect(joinedAtMs.map((ms) => ms - startMs)).toEqual([
      0, 50, 150, 275, 400, 525, 650, 775, 900, 1000,
    ]);
    // An attempt has what is left of the deadline, a tenth of it at least.
    const givenMs = links.flatMap((link) => link.joinDeadlinesMs);
    expect(givenMs).toEqual([1000, 950, 850, 725, 600, 475, 350, 225, 100, 100]);
    expect(warnings()).toEqual([
      "cannot join yet; trying until the deadline: connect ECONNREFUSED 127.0.0.1:7070",
    ]);
  });

  it("takes a coordinator that comes in time", async () => {
    const { end, runClock, streams, streamAt } = started([unavailable, unavailable, {}]);
    await runClock(5, () => streams.length > 0);
    const stream = await streamAt(0);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toMatchObject({ kind: "stop" });
  });

  it.each([
    ["profileRefused", "the run computes with wasm 4.21"],
    ["protocolVersion", "the coordinator speaks protocol 2, not 1"],
    ["unauthenticated", "the token is not known here"],
    ["forbidden", "a viewer's token may not call Join"],
  ] as const)("ends at once when it is refused for %s", async (code, message) => {
    const { end, joinedAtMs } = started([new WireError(code, message)]);
    await expect(end).rejects.toMatchObject({
      code: "refused",
      message: `refused by 127.0.0.1:7070: ${message}`,
    });
    // Once more with all that it can offer, if that is what was refused.
    expect(joinedAtMs).toHaveLength(code === "profileRefused" ? 2 : 1);
  });

  it("joins again with a token that is being changed under it", async () => {
    const refusal = new WireError("unauthenticated", "the token is not known here");
    const { end, runClock, streams, streamAt } = started([{}, refusal, refusal, {}]);
    (await streamAt(0)).fail(new WireError("unavailable", "gone"));
    await runClock(5, () => streams.length > 1);
    (await streamAt(1)).push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toMatchObject({ kind: "stop" });
  });

  it("offers its preferred backend alone, and every other one when that is refused", async () => {
    const compute = new FakeCompute();
    const cpu = { ...PROFILE, backend: "cpu" };
    compute.offers = [PROFILE, cpu];
    const refusal = new WireError("profileRefused", "the run computes with cpu 4.22.0");
    const { end, offered, streamAt } = started([refusal, { profile: cpu }], { compute });
    const stream = await streamAt(0);
    expect(offered).toEqual([[PROFILE], [PROFILE, cpu]]);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toMatchObject({ kind: "stop" });
    expect(compute.setups[0]).toMatchObject({ backend: "cpu" });
  });

  it("refuses a profile that it did not offer", async () => {
    const { end } = started([{ profile: { ...PROFILE, digest: "other" } }]);
    await expect(end).rejects.toMatchObject({ code: "refused" });
  });

  it("ends when no backend works", async () => {
    const compute = new FakeCompute();
    compute.offers = [];
    const { end } = started([{}], { compute });
    await expect(end).rejects.toMatchObject({
      code: "noBackend",
      message: "none of the backends wasm, cpu works here",
    });
  });

  it.skipIf(!existsSync("/dev/shm"))(
    "shares memory with a coordinator of this machine, and joins again without where that fails",
    async () => {
      const folder = createSegmentFolder(process);
      try {
        const segmentFolder = folder.name;
        const { end, runClock, streams, streamAt, warnings } = started([
          { segmentFolder },
          { segmentFolder },
        ]);
        const first = await streamAt(0);
        expect(await first.sentOfKind("attach")).toMatchObject({ sharesMemory: true });
        const frame = { transfer: 1, segment: 3, firstValue: 0, numValues: 2, crc32: 0 };
        first.push({ kind: "segmentFrame", frame });
        await runClock(5, () => streams.length > 1);
        const second = await streamAt(1);
        expect(await second.sentOfKind("attach")).toMatchObject({ sharesMemory: false });
        expect(warnings()).toEqual([
          expect.stringMatching(
            /^the session was lost; joining again: segment parameters-3 can't be read: ENOENT/,
          ),
        ]);
        second.push({ kind: "stop", failed: false, reason: "completed" });
        expect(await end).toMatchObject({ kind: "stop" });
      } finally {
        removeSegmentFolder(folder);
      }
    },
  );

  it("takes no frame in shared memory from a coordinator that it shares none with", async () => {
    const { end, runClock, streams, streamAt, warnings } = started([{}, {}]);
    const first = await streamAt(0);
    const frame = { transfer: 1, segment: 1, firstValue: 0, numValues: 2, crc32: 0 };
    first.push({ kind: "segmentFrame", frame });
    await runClock(5, () => streams.length > 1);
    expect(warnings()).toEqual([
      "the session was lost; joining again: a frame in shared memory was sent, which none was asked for",
    ]);
    (await streamAt(1)).push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toMatchObject({ kind: "stop" });
  });

  it("joins anew when the stream is lost, drops what it held, and does not fetch again", async () => {
    const { end, compute, runClock, streams, streamAt, numFetches } = started([
      {},
      { incarnation: 2 },
    ]);
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
    await runClock(5, () => streams.length > 1);
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

  it("waits for a lost coordinator three deadlines of the run from its loss: it may come back elsewhere", async () => {
    const { end, clock, streamAt, runClock } = started([{ deadlineMs: 2000 }, unavailable]);
    const stream = await streamAt(0);
    clock.advance(3_600_000);
    stream.close();
    await runClock(150);
    await expect(end).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringMatching(
        /^the coordinator at 127\.0\.0\.1:7070 is gone: tried for 6 s/,
      ) as string,
    });
  });

  it("ends when another job answers at the address", async () => {
    const { end, runClock, streamAt } = started([{}, { jobId: "job-2" }]);
    const stream = await streamAt(0);
    stream.close();
    await runClock(5);
    await expect(end).rejects.toMatchObject({
      code: "jobChanged",
      message: expect.stringContaining("job-2, not job-1") as string,
    });
  });

  it("gives up a stream whose parameters do not have their digest, and joins anew", async () => {
    const { end, runClock, streams, streamAt } = started([{}]);
    const first = await streamAt(0);
    const [announcement, ...frames] = parameters(0);
    if (announcement?.kind !== "parameters") expect.unreachable();
    first.push({ ...announcement, digest: new Uint8Array(32) }, ...frames);
    await first.ended();
    await runClock(5, () => streams.length > 1);
    expect(first.isCancelled).toBe(true);
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
    const { end, clock, drain } = started([unavailable]);
    await until(() => clock.numTimers > 0);
    drain.abort();
    expect(await end).toEqual({ kind: "drained" });
  });

  it("waits no longer than the deadline for a coordinator that ignores the drain", async () => {
    const { session, end, clock, drain, streamAt } = started([{ deadlineMs: 700 }]);
    const stream = await streamAt(0);
    drain.abort();
    await stream.ended();
    await until(() => clock.numTimers > 0);
    clock.advance(699);
    expect(session.state).toBe("attached");
    clock.advance(1);
    expect(await end).toEqual({ kind: "drained" });
  });

  it("does not join for ever a coordinator that refuses every stream", async () => {
    const { end, clock, links, warnings, runClock } = started([{ deadlineMs: 1000 }], {
      onStream: (stream) => {
        queueMicrotask(() => stream.fail(new WireError("streamRefused", "no stream for you")));
      },
    });
    await runClock(5);
    await expect(end).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringMatching(
        /^no session with the coordinator at 127\.0\.0\.1:7070 lasts: tried for 1 s \(\d+ attempts\), last: no stream for you$/,
      ) as string,
    });
    expect(clock.now()).toBe(1000);
    expect(links.every((link) => link.isClosed)).toBe(true);
    expect(warnings()).toEqual(["the session was lost; joining again: no stream for you"]);
  });

  it("ends at once when its stream is refused for good", async () => {
    const { end, joinedAtMs } = started([{}], {
      onStream: (stream) => {
        queueMicrotask(() => stream.fail(new WireError("badMessage", "what is that")));
      },
    });
    await expect(end).rejects.toMatchObject({
      code: "refused",
      message: "refused by 127.0.0.1:7070: what is that",
    });
    expect(joinedAtMs).toHaveLength(1);
  });

  it("tries anew after each loss of a session that stood for a deadline, lease or not", async () => {
    const { end, clock, streams, streamAt, runClock } = started([{ deadlineMs: 1000 }]);
    for (let index = 0; index < 4; index++) {
      await runClock(5, () => streams.length > index);
      const stream = await streamAt(index);
      await stream.sentOfKind("attach");
      clock.advance(1000);
      stream.close();
    }
    await runClock(5, () => streams.length > 4);
    (await streamAt(4)).push({ kind: "stop", failed: false, reason: "completed" });
    expect(await end).toMatchObject({ kind: "stop" });
  });

  it("tries again after a fetch that broke late, and gives up when they break for a deadline", async () => {
    const clock = new ManualClock();
    const { end, numFetches, runClock } = started([{ deadlineMs: 1000 }], {
      clock,
      onFetch: () => {
        clock.advance(700);
        throw new WireError("unavailable", "connection reset");
      },
    });
    await runClock(5);
    await expect(end).rejects.toMatchObject({ code: "unreachable" });
    // At 700, and after a pause each at about 1450 and 2250 milliseconds: 1550 after the first.
    expect(numFetches()).toBe(3);
  });

  it("joins again, and loads nothing again, when loading took so long that its identity may be gone", async () => {
    const clock = new ManualClock();
    const compute = new FakeCompute();
    const answers = [
      { deadlineMs: 1000 },
      { deadlineMs: 1000, workerId: "worker-2", streamToken: "token-2" },
    ];
    const { end, streamAt, numFetches, warnings } = started(answers, {
      clock,
      compute,
      onFetch: () => clock.advance(60_000),
    });
    const stream = await streamAt(0);
    expect(await stream.sentOfKind("attach")).toMatchObject({
      workerId: "worker-2",
      streamToken: "token-2",
    });
    expect(numFetches()).toBe(1);
    expect(compute.setups).toHaveLength(1);
    expect(warnings()).toEqual([]);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    await end;
  });

  it("does not serve a run with what it prepared for another", async () => {
    const clock = new ManualClock();
    const answers = [{ deadlineMs: 1000 }, { deadlineMs: 1000, incarnation: 2 }];
    const { end, compute, joinedAtMs, runClock, streams, streamAt } = started(answers, {
      clock,
      onFetch: () => clock.advance(60_000),
    });
    await runClock(5, () => streams.length > 0);
    const stream = await streamAt(0);
    // Joined, found changed, joined once more and prepared for that.
    expect(joinedAtMs).toHaveLength(3);
    expect(compute.setups).toHaveLength(2);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    await end;
  });

  it("keeps its connection alive by the deadline of the run", async () => {
    const { end, connectedWithMs, links, streamAt } = started([{ deadlineMs: 5000 }]);
    const stream = await streamAt(0);
    expect(connectedWithMs).toEqual([1000, 5000]);
    expect(links.map((link) => [link.isClosed, link.streams.length])).toEqual([
      [true, 0],
      [false, 1],
    ]);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    await end;
    const same = started([{ deadlineMs: 1000 }]);
    const only = await same.streamAt(0);
    expect(same.connectedWithMs).toEqual([1000]);
    only.push({ kind: "stop", failed: false, reason: "completed" });
    await same.end;
  });

  it("has nothing to do, and nothing to complain of, where the run is ending", async () => {
    const { end, joinedAtMs } = started([new WireError("shuttingDown", "the run is ending")]);
    expect(await end).toEqual({ kind: "stop", failed: false, reason: "the run is ending" });
    expect(joinedAtMs).toHaveLength(1);
  });

  it("ends at once when it cannot read the run's config", async () => {
    const { end, joinedAtMs } = started([{ configJson: "{}" }]);
    await expect(end).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("seed is undefined") as string,
    });
    expect(joinedAtMs).toHaveLength(1);
  });

  it("returns its leases and ends when the compute thread dies, also between leases", async () => {
    const { end, compute, streamAt } = started([{}]);
    const stream = await streamAt(0);
    await stream.sentOfKind("attach");
    compute.loss.abort(new WorkerError("threadLost", "the compute thread is gone: it ended"));
    expect(await stream.sentOfKind("returnLeases")).toEqual({
      kind: "returnLeases",
      reason: "the compute thread is gone: it ended",
    });
    stream.close();
    await expect(end).rejects.toMatchObject({
      code: "threadLost",
      message: "the compute thread is gone: it ended",
    });
  });

  it("ends at once when the compute thread dies while nobody is reached", async () => {
    const { end, clock, compute } = started([unavailable]);
    await until(() => clock.numTimers > 0);
    compute.loss.abort(new WorkerError("threadLost", "the compute thread is gone: it ended"));
    await expect(end).rejects.toMatchObject({ code: "threadLost" });
  });

  it("shows its state as a metric", async () => {
    const { end, registry, streamAt } = started([{}]);
    const states = async (): Promise<string[]> =>
      (await registry.metrics())
        .split("\n")
        .filter((line) => /^ostinato_worker_session_state/.test(line));
    const stream = await streamAt(0);
    expect(await states()).toEqual([
      'ostinato_worker_session_state{state="joining"} 0',
      'ostinato_worker_session_state{state="preparing"} 0',
      'ostinato_worker_session_state{state="attached"} 1',
      'ostinato_worker_session_state{state="ended"} 0',
    ]);
    stream.push({ kind: "stop", failed: false, reason: "completed" });
    await end;
    expect(await states()).toContain('ostinato_worker_session_state{state="ended"} 1');
  });
});
