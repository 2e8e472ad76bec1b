import type { CoordinatorMessage, Lease, WorkerMessage } from "@ostinato/proto";
import { createLogger, ManualClock } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";

import { FakeCompute } from "../../test/support/fake-compute.js";
import { FakeStream, parameters } from "../../test/support/fake-link.js";
import { until } from "../../test/support/until.js";
import { WorkerError } from "../errors/index.js";
import { createWorkerMetrics } from "../ops/index.js";
import { ArrivingStates, HeldStates } from "../shard/index.js";
import { ParameterVersions } from "../training/index.js";
import { LeaseRunner } from "./lease-runner.js";

const { logger } = createLogger({ process: "test" });
const SIZE = 3;

function lease(overrides: Partial<Lease> = {}): Lease {
  return {
    fence: 1,
    leaseKind: "train",
    step: 1,
    version: 0,
    epoch: 0,
    epochStep: 0,
    nodes: [{ firstLeaf: 0, numLeaves: 2 }],
    leaves: [
      { leaf: 0, state: "zero" },
      { leaf: 1, state: "zero" },
    ],
    split: "",
    transfer: 0,
    lossWeightTotals: [12],
    ...overrides,
  };
}

function built() {
  const compute = new FakeCompute();
  const versions = new ParameterVersions(SIZE, 0);
  const registry = new Registry();
  const stream = new FakeStream();
  const fatal: unknown[] = [];
  const clock = new ManualClock();
  const runner = new LeaseRunner(
    { jobId: "job", incarnation: 3, deadlineMs: 1000, stateSizes: compute.stateSizes },
    {
      compute,
      versions,
      held: new HeldStates(),
      arriving: new ArrivingStates(compute.stateSizes),
      sink: stream,
      memory: undefined,
      clock,
      logger,
      metrics: createWorkerMetrics(registry, { version: "test", node: "test" }),
      onFatal: (error) => fatal.push(error),
    },
  );
  const receiveVersion = (version: number): void => {
    for (const message of parameters(version, SIZE)) receive(versions, message);
    runner.parametersMoved();
  };
  return { runner, compute, versions, registry, stream, fatal, clock, receiveVersion };
}

function receive(versions: ParameterVersions, message: CoordinatorMessage): void {
  if (message.kind === "parameters") versions.announce(message);
  if (message.kind === "frame") versions.receive(message.frame);
}

const kinds = (sent: readonly WorkerMessage[]): string[] =>
  sent.map(({ kind }) => kind).filter((kind) => kind !== "progress");

describe("LeaseRunner", () => {
  it("says that it prepares, uploads what was computed, then that the lease has ended", async () => {
    const { runner, stream, compute, receiveVersion } = built();
    receiveVersion(0);
    runner.add(lease({ fence: 9 }));
    expect(await stream.sentOfKind("leaseEnded")).toEqual({
      kind: "leaseEnded",
      fence: 9,
      error: "",
    });
    expect(stream.sent[0]).toEqual({ kind: "progress", fence: 9, phase: "prepare", timeSteps: 0 });
    expect(kinds(stream.sent)).toEqual([
      "uploadBegin",
      "frame", // gradient
      "frame", // state of leaf 0
      "frame", // state of leaf 1
      "uploadEnd",
      "leaseEnded",
    ]);
    expect(compute.tasks).toHaveLength(1);
    expect(compute.tasks[0]).toMatchObject({ step: 1, version: 0, leaves: [0, 1] });
    // What is out is memory for the next gradients.
    expect(compute.recycled).toEqual([new Float32Array(SIZE).fill(1)]);
  });

  it("waits for parameters that are still to come", async () => {
    const { runner, stream, compute, receiveVersion } = built();
    receiveVersion(0);
    runner.add(lease({ version: 1 }));
    await stream.sentOfKind("progress");
    expect(compute.tasks).toEqual([]);
    // Meanwhile its data is made.
    expect(compute.batches).toEqual([{ step: 1, epochStep: 0, leaves: [0, 1] }]);
    receiveVersion(1);
    await stream.sentOfKind("leaseEnded");
    expect(compute.tasks[0]?.parameters).toEqual(new Float32Array(SIZE).fill(1));
  });

  it("renews a lease with each frame of the parameters that it waits for", async () => {
    const { runner, stream, clock } = built();
    runner.add(lease({ fence: 9, version: 0 }));
    const numReports = (): number => stream.sent.filter(({ kind }) => kind === "progress").length;
    await until(() => numReports() === 1);
    for (let frame = 1; frame <= 3; frame++) {
      runner.parametersMoved();
      // Passed on at the pace of the throttle.
      await until(() => (clock.advance(1000), numReports() === frame + 1));
    }
    expect(stream.sent.findLast(({ kind }) => kind === "progress")).toEqual({
      kind: "progress",
      fence: 9,
      phase: "prepare",
      timeSteps: 0,
    });
    clock.advance(100_000);
    expect(numReports()).toBe(4);
  });

  it("sends heartbeats while a lease stands still, and none when it is over", async () => {
    const { runner, stream, clock } = built();
    runner.add(lease({ fence: 9, version: 0 }));
    await stream.sentOfKind("progress");
    const numBeats = (): number => stream.sent.filter(({ kind }) => kind === "heartbeat").length;
    clock.advance(100_000);
    expect(numBeats()).toBeGreaterThan(0);
    runner.revoke(9);
    await stream.sentOfKind("leaseEnded");
    const before = numBeats();
    clock.advance(100_000);
    expect(numBeats()).toBe(before);
    expect(clock.numTimers).toBe(0);
  });

  it("waits for parameters that are older than others, and have not come yet", async () => {
    const { runner, stream, compute, receiveVersion } = built();
    for (const version of [9, 11]) receiveVersion(version);
    runner.add(lease({ version: 10 }));
    await stream.sentOfKind("progress");
    receiveVersion(10);
    expect(await stream.sentOfKind("leaseEnded")).toMatchObject({ error: "" });
    expect(compute.tasks[0]?.parameters).toEqual(new Float32Array(SIZE).fill(10));
  });

  it("says so when the parameters are gone", async () => {
    const { runner, stream, receiveVersion } = built();
    for (const version of [3, 4, 5]) receiveVersion(version);
    runner.add(lease({ version: 3 }));
    const { error } = await stream.sentOfKind("leaseEnded");
    expect(error).toBe("parameters 3 are no longer here, the newest are 5");
  });

  it("goes on from the states that it computed in the step before", async () => {
    const { runner, stream, compute, receiveVersion } = built();
    receiveVersion(0);
    runner.add(lease({ fence: 1, step: 1 }));
    await stream.sentOfKind("leaseEnded");
    receiveVersion(1);
    runner.add(
      lease({
        fence: 2,
        step: 2,
        version: 1,
        nodes: [{ firstLeaf: 1, numLeaves: 1 }],
        leaves: [{ leaf: 1, state: "held" }],
      }),
    );
    await stream.sentOfKind("leaseEnded", 1);
    // FakeCompute's state of leaf 1 after step 1.
    expect(compute.tasks[1]?.states).toEqual([Float32Array.of(101, 101)]);
  });

  it("fails a lease whose state it does not hold, and stays of use", async () => {
    const { runner, stream, registry, receiveVersion } = built();
    receiveVersion(0);
    runner.add(lease({ fence: 1, step: 5, leaves: [{ leaf: 0, state: "held" }] }));
    runner.add(lease({ fence: 2 }));
    const ends = [await stream.sentOfKind("leaseEnded"), await stream.sentOfKind("leaseEnded", 1)];
    expect(ends).toEqual([
      {
        kind: "leaseEnded",
        fence: 1,
        error: "the state of leaf 0 after step 4 is not held here",
      },
      { kind: "leaseEnded", fence: 2, error: "" },
    ]);
    const text = await registry.metrics();
    expect(text).toContain('ostinato_worker_leases_total{kind="train",outcome="failed"} 1');
    expect(text).toContain('ostinato_worker_leases_total{kind="train",outcome="done"} 1');
    // FakeCompute computes three samples a leaf; the failed lease computed none.
    expect(text).toContain("ostinato_worker_samples_total 6");
  });

  it("fails a lease whose computation fails, with the reason", async () => {
    const { runner, stream, compute, clock, registry, receiveVersion } = built();
    compute.holdsTasks = true;
    receiveVersion(0);
    runner.add(lease());
    await until(() => compute.held.length === 1);
    clock.advance(2000);
    compute.held[0]?.fail(new WorkerError("compute", "out of memory"));
    expect(await stream.sentOfKind("leaseEnded")).toMatchObject({ error: "out of memory" });
    // The phase in which it failed took its time as well.
    expect(await registry.metrics()).toContain(
      'ostinato_worker_compute_phase_seconds_sum{phase="prepare"} 2',
    );
  });

  it("gives a revoked lease up without an upload and without an error", async () => {
    const { runner, stream, compute, receiveVersion } = built();
    compute.holdsTasks = true;
    receiveVersion(0);
    runner.add(lease({ fence: 4 }));
    await until(() => compute.held.length === 1);
    runner.revoke(4);
    expect(await stream.sentOfKind("leaseEnded")).toEqual({
      kind: "leaseEnded",
      fence: 4,
      error: "",
    });
    expect(kinds(stream.sent)).toEqual(["leaseEnded"]);
  });

  it("gives up a lease that is revoked while it waits for its turn or its parameters", async () => {
    const { runner, stream, compute } = built();
    runner.add(lease({ fence: 4, version: 8 }));
    runner.add(lease({ fence: 5, version: 8 }));
    await stream.sentOfKind("progress");
    runner.revoke(5);
    runner.revoke(4);
    await stream.sentOfKind("leaseEnded", 1);
    expect(kinds(stream.sent)).toEqual(["leaseEnded", "leaseEnded"]);
    expect(compute.tasks).toEqual([]);
  });

  it("numbers the transfers of all its leases upward", async () => {
    const { runner, stream, receiveVersion } = built();
    receiveVersion(0);
    const nodes = [
      { firstLeaf: 0, numLeaves: 1 },
      { firstLeaf: 1, numLeaves: 1 },
    ];
    runner.add(lease({ fence: 1, nodes }));
    runner.add(lease({ fence: 2, nodes }));
    await stream.sentOfKind("leaseEnded", 1);
    const begins = stream.sent.filter((message) => message.kind === "uploadBegin");
    expect(begins.map(({ transfer, fence }) => [transfer, fence])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
      [4, 2],
    ]);
  });

  it("answers an evaluation with the results of its leaves", async () => {
    const { runner, stream, compute, receiveVersion } = built();
    receiveVersion(0);
    runner.add(lease({ fence: 6, leaseKind: "evaluate", split: "validation", nodes: [] }));
    const result = await stream.sentOfKind("evaluationResult");
    expect(result).toMatchObject({ jobId: "job", incarnation: 3, step: 1, fence: 6 });
    expect(result.leaves.map(({ leaf }) => leaf)).toEqual([0, 1]);
    expect(compute.evaluations[0]).toMatchObject({ split: "validation", leaves: [0, 1] });
    await stream.sentOfKind("leaseEnded");
  });

  it("sends nothing more once it is stopped", async () => {
    const { runner, stream, compute, receiveVersion } = built();
    compute.holdsTasks = true;
    receiveVersion(0);
    runner.add(lease());
    await until(() => compute.held.length === 1);
    const numBefore = stream.sent.length;
    await runner.stop();
    runner.add(lease({ fence: 2 }));
    expect(stream.sent).toHaveLength(numBefore);
  });

  it("reports the loss of the compute thread as the end of everything", async () => {
    const { runner, stream, compute, fatal, receiveVersion } = built();
    compute.holdsTasks = true;
    receiveVersion(0);
    runner.add(lease());
    await until(() => compute.held.length === 1);
    const lost = new WorkerError("threadLost", "the compute thread is gone");
    compute.held[0]?.fail(lost);
    await until(() => fatal.length > 0);
    expect(fatal).toEqual([lost]);
    expect(kinds(stream.sent)).toEqual([]);
  });
});
