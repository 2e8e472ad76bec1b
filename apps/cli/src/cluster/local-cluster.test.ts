import { ManualClock, SAME_REQUEST_MS } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import { describe, expect, it } from "vitest";

import type { Child, ChildExit } from "./child.js";
import { LocalCluster } from "./local-cluster.js";
import { MAX_RESTARTS_IN_A_ROW } from "./worker-slot.js";

const DEADLINE_MS = 30_000;
const { leaveMs: LEAVE_MS, soundLifeMs: SOUND_LIFE_MS } = deriveTimeouts(DEADLINE_MS);

/** A child that does only what the test makes it do. */
class FakeChild implements Child {
  readonly pid: number;
  readonly programArguments: readonly string[];
  readonly exited: Promise<ChildExit>;
  readonly received: string[] = [];
  readonly sent: object[] = [];
  #listener: ((message: unknown) => void) | undefined;
  readonly #exit: (exit: ChildExit) => void;

  constructor(pid: number, programArguments: readonly string[]) {
    this.pid = pid;
    this.programArguments = programArguments;
    let exit: (exit: ChildExit) => void = () => undefined;
    this.exited = new Promise((resolve) => {
      exit = resolve;
    });
    this.#exit = exit;
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener;
  }

  kill(signal: NodeJS.Signals): void {
    this.received.push(signal);
  }

  send(message: object): void {
    this.sent.push(message);
  }

  release(): void {
    this.received.push("release");
  }

  say(message: unknown): void {
    this.#listener?.(message);
  }

  end(how: number | NodeJS.Signals, lastLine = ""): void {
    this.#exit(
      typeof how === "number"
        ? { code: how, signal: undefined, lastLine }
        : { code: undefined, signal: how, lastLine },
    );
  }
}

const ready = {
  kind: "ready",
  address: "127.0.0.1:7070",
  localAddress: "127.0.0.1:7070",
  metricsAddress: "http://127.0.0.1:9464",
  runDirectory: "runs/r",
  notes: [],
} as const;

/** Lets everything that is waiting for a settled promise go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function createCluster(numWorkers = 2, minWorkers = 1) {
  const children: FakeChild[] = [];
  const notices: string[] = [];
  const clock = new ManualClock();
  const cluster = new LocalCluster(
    {
      numWorkers,
      minWorkers,
      deadlineMs: DEADLINE_MS,
      coordinatorArguments: ["coordinator"],
      standbyArguments: ["standby"],
      workerArguments: ({ address }, name) => ["worker", address, name],
    },
    {
      startChild: (programArguments) => {
        const child = new FakeChild(100 + children.length, programArguments);
        children.push(child);
        return child;
      },
      clock,
      onNotice: (text) => notices.push(text),
    },
  );
  const [coordinator] = children;
  const workers = (): readonly FakeChild[] => children.slice(1);
  return { cluster, coordinator: coordinator!, workers, notices, clock };
}

/** A cluster whose workers run. */
async function runningCluster(numWorkers = 2, minWorkers = 1) {
  const parts = createCluster(numWorkers, minWorkers);
  parts.coordinator.say(ready);
  const message = await parts.cluster.ready();
  parts.cluster.startWorkers(message!);
  return parts;
}

describe("a local cluster", () => {
  it("lets workers stand by until the coordinator is ready, then tells all its address", async () => {
    const { cluster, coordinator, workers, notices } = createCluster(2);
    coordinator.say({ kind: "something else" });
    coordinator.say({ kind: "waiting", text: "another one may live" });
    expect(notices).toEqual(["another one may live"]);
    await settle();
    expect(workers().map(({ programArguments }) => programArguments)).toEqual([
      ["standby"],
      ["standby"],
    ]);
    expect(workers().flatMap(({ sent }) => sent)).toEqual([]);
    coordinator.say(ready);
    expect(await cluster.ready()).toEqual(ready);
    cluster.startWorkers(ready);
    expect(workers().map(({ sent }) => sent)).toEqual([
      [{ kind: "start", programArguments: ["worker", "127.0.0.1:7070", "worker-1"] }],
      [{ kind: "start", programArguments: ["worker", "127.0.0.1:7070", "worker-2"] }],
    ]);
  });

  it("ends with 0 when the coordinator completed the run and the workers left", async () => {
    const { cluster, coordinator, workers, notices } = await runningCluster();
    for (const worker of workers()) worker.end(0);
    coordinator.end(0);
    expect(await cluster.ended).toEqual({ exitCode: 0, reason: undefined });
    expect(workers()).toHaveLength(2);
    expect(notices).toEqual([]);
  });

  it("passes on why the coordinator ended before it was ready, and its exit code 2", async () => {
    const { cluster, coordinator, workers } = createCluster();
    coordinator.end(2, "book.txt: no such file");
    expect(await cluster.ready()).toBeUndefined();
    expect(workers().map(({ received }) => received)).toEqual([["release"], ["release"]]);
    for (const worker of workers()) worker.end(0);
    expect(await cluster.ended).toEqual({ exitCode: 2, reason: "book.txt: no such file" });
  });

  it("ends with 1 when the coordinator is killed, and lets the workers go", async () => {
    const { cluster, coordinator, workers } = await runningCluster();
    coordinator.end("SIGKILL");
    await settle();
    expect(workers().map(({ received }) => received)).toEqual([["release"], ["release"]]);
    for (const worker of workers()) worker.end(1, "the coordinator is gone");
    expect(await cluster.ended).toEqual({
      exitCode: 1,
      reason: "the coordinator was killed by SIGKILL",
    });
    expect(workers()).toHaveLength(2);
  });

  it("kills workers that do not leave within their time", async () => {
    const { cluster, coordinator, workers, clock } = await runningCluster(1);
    coordinator.end(0);
    await settle();
    clock.advance(LEAVE_MS - 1);
    expect(workers()[0]?.received).toEqual(["release"]);
    clock.advance(1);
    expect(workers()[0]?.received).toEqual(["release", "SIGKILL"]);
    workers()[0]?.end("SIGKILL");
    expect((await cluster.ended).exitCode).toBe(0);
  });
});

describe("a worker of a local cluster", () => {
  it("that dies is replaced, and its death told in one line", async () => {
    const { workers, notices } = await runningCluster(2);
    workers()[1]?.end("SIGKILL");
    await settle();
    expect(workers().map(({ programArguments }) => programArguments)).toEqual([
      ...[["standby"], ["standby"]],
      ["worker", "127.0.0.1:7070", "worker-3"],
    ]);
    expect(notices).toEqual(["worker-2 (pid 102) was killed by SIGKILL; worker-3 takes its place"]);
  });

  it("that leaves by itself is not replaced", async () => {
    const { workers, notices } = await runningCluster(2);
    workers()[0]?.end(0);
    await settle();
    expect(workers()).toHaveLength(2);
    expect(notices).toEqual([]);
  });

  it("that ends because the run failed is not replaced either: the coordinator tells of that", async () => {
    const { workers, notices } = await runningCluster(2);
    workers()[0]?.end(1, "ostinato worker: the run failed: step 3 is not finite");
    workers()[1]?.end(1, "ostinato worker: sent away: worker-1-2 is quarantined: x");
    await settle();
    expect(workers()).toHaveLength(3);
    expect(notices).toEqual([
      expect.stringContaining("sent away: worker-1-2 is quarantined: x; worker-3 takes its place"),
    ]);
  });

  it("is replaced at most five times in a row, and then the run is stopped with exit code 1", async () => {
    const { cluster, coordinator, workers, notices, clock } = await runningCluster(1);
    for (let death = 0; death <= MAX_RESTARTS_IN_A_ROW; death++) {
      workers().at(-1)?.end(1, "no backend works here");
      await settle();
      clock.advance(60_000);
      await settle();
    }
    expect(workers()).toHaveLength(1 + 5);
    expect(notices.at(-1)).toContain("no backend works here; it is not replaced");
    expect(coordinator.received).toEqual(["SIGTERM"]);
    coordinator.end(143);
    expect(await cluster.ended).toEqual({
      exitCode: 1,
      reason: "every worker died again and again",
    });
  });

  it("is replaced without end while the run makes progress", async () => {
    const { cluster, coordinator, workers, clock } = await runningCluster(1);
    for (let death = 0; death < 3 * MAX_RESTARTS_IN_A_ROW; death++) {
      cluster.noteProgress();
      clock.advance(SOUND_LIFE_MS);
      workers().at(-1)?.end("SIGSEGV");
      await settle();
    }
    expect(workers()).toHaveLength(1 + 3 * MAX_RESTARTS_IN_A_ROW);
    expect(coordinator.received).toEqual([]);
  });

  it("is given up though each lived long, if the run made no progress", async () => {
    const { coordinator, workers, clock } = await runningCluster(1);
    for (let death = 0; death <= MAX_RESTARTS_IN_A_ROW; death++) {
      clock.advance(SOUND_LIFE_MS);
      workers().at(-1)?.end("SIGSEGV");
      await settle();
    }
    expect(coordinator.received).toEqual(["SIGTERM"]);
  });

  it("that is given up ends the run, where too few places for workers are left for the minimum", async () => {
    const { cluster, coordinator, workers, clock } = await runningCluster(2, 2);
    let victim = workers()[0];
    for (let death = 0; death <= MAX_RESTARTS_IN_A_ROW; death++) {
      expect(coordinator.received).toEqual([]);
      victim?.end(1);
      await settle();
      clock.advance(60_000);
      await settle();
      victim = workers().at(-1);
    }
    expect(coordinator.received).toEqual(["SIGTERM"]);
    coordinator.end(143);
    await settle();
    workers()[1]?.end(0);
    expect(await cluster.ended).toEqual({
      exitCode: 1,
      reason: "1 place for a worker is left, fewer than cluster.minWorkers: 2",
    });
  });

  it("is replaced later each time that one dies young, and at once after a sound life", async () => {
    const { workers, notices, clock } = await runningCluster(1);
    const dieAndWait = async (ms: number): Promise<number> => {
      workers().at(-1)?.end(1);
      await settle();
      clock.advance(ms);
      await settle();
      return workers().length;
    };
    expect(await dieAndWait(0)).toBe(2);
    expect(await dieAndWait(499)).toBe(2);
    expect(notices.at(-1)).toMatch(/worker-3 takes its place in 0\.5 s$/);
    clock.advance(1);
    await settle();
    expect(workers()).toHaveLength(3);
    expect(await dieAndWait(999)).toBe(3);
    clock.advance(1);
    await settle();
    clock.advance(SOUND_LIFE_MS);
    expect(await dieAndWait(0)).toBe(5);
  });

  it("that is waited for does not come after a signal", async () => {
    const { cluster, coordinator, workers, clock } = await runningCluster(1);
    for (let death = 0; death < 2; death++) {
      workers().at(-1)?.end(1);
      await settle();
    }
    cluster.interrupt("SIGINT");
    coordinator.end(130);
    expect((await cluster.ended).exitCode).toBe(130);
    expect(workers()).toHaveLength(2);
    expect(clock.numTimers).toBe(0);
  });

  it("that was the last one to leave ends the run, if the coordinator stays", async () => {
    const { cluster, coordinator, workers, clock } = await runningCluster(2);
    for (const worker of workers()) worker.end(0);
    await settle();
    clock.advance(LEAVE_MS - 1);
    expect(coordinator.received).toEqual([]);
    clock.advance(1);
    expect(coordinator.received).toEqual(["SIGTERM"]);
    coordinator.end(143);
    expect(await cluster.ended).toEqual({ exitCode: 1, reason: "no worker is left" });
  });
});

describe("a signal to a local cluster", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s goes to the coordinator alone, and ends with %d", async (signal, exitCode) => {
    const { cluster, coordinator, workers } = await runningCluster();
    cluster.interrupt(signal);
    await settle();
    expect(coordinator.received).toEqual([signal]);
    expect(workers().flatMap(({ received }) => received)).toEqual([]);
    for (const worker of workers()) worker.end(0);
    coordinator.end(exitCode);
    expect(await cluster.ended).toEqual({ exitCode, reason: undefined });
  });

  it("stops the replacement of workers", async () => {
    const { cluster, workers, notices } = await runningCluster(1);
    cluster.interrupt("SIGTERM");
    workers()[0]?.end(1);
    await settle();
    expect(workers()).toHaveLength(1);
    expect(notices).toEqual([]);
  });

  it("before the coordinator is ready leaves no worker behind", async () => {
    const { cluster, coordinator, workers } = createCluster();
    cluster.interrupt("SIGINT");
    coordinator.say(ready);
    cluster.startWorkers((await cluster.ready())!);
    expect(workers().flatMap(({ sent }) => sent)).toEqual([]);
    coordinator.end(130);
    await settle();
    expect(workers().map(({ received }) => received)).toEqual([["release"], ["release"]]);
    for (const worker of workers()) worker.end(0);
    expect((await cluster.ended).exitCode).toBe(130);
  });

  it("that comes twice at once, from the terminal and from npm, is one", async () => {
    const { cluster, coordinator, workers, clock } = await runningCluster();
    cluster.interrupt("SIGINT");
    clock.advance(SAME_REQUEST_MS - 1);
    cluster.interrupt("SIGINT");
    expect(coordinator.received).toEqual(["SIGINT"]);
    expect(workers().flatMap(({ received }) => received)).toEqual([]);
  });

  it("that is the second kills those that stand by, too", () => {
    const { cluster, coordinator, workers, clock } = createCluster();
    cluster.interrupt("SIGINT");
    clock.advance(SAME_REQUEST_MS);
    cluster.interrupt("SIGINT");
    expect([coordinator, ...workers()].map(({ received }) => received.at(-1))).toEqual([
      ...["SIGKILL", "SIGKILL", "SIGKILL"],
    ]);
  });

  it("that is the second kills every child", async () => {
    const { cluster, coordinator, workers, clock } = await runningCluster();
    cluster.interrupt("SIGINT");
    clock.advance(SAME_REQUEST_MS);
    cluster.interrupt("SIGINT");
    expect(coordinator.received).toEqual(["SIGINT", "SIGKILL"]);
    expect(workers().map(({ received }) => received)).toEqual([["SIGKILL"], ["SIGKILL"]]);
    for (const worker of workers()) worker.end("SIGKILL");
    coordinator.end("SIGKILL");
    const { exitCode, reason } = await cluster.ended;
    expect(exitCode).toBe(130);
    expect(reason).toContain("before its checkpoint was written");
  });
});
