/** Workers come and go at any time, and back to a coordinator that comes back. */

import type { StepRecord } from "@ostinato/run";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  Cluster,
  endOf,
  ledgerOf,
  settingFlags,
  stepsOf,
  trainToTheEnd,
} from "./support/cluster.js";
import { startChild } from "./support/processes.js";
import type { Program } from "./support/processes.js";
import { expectVerified } from "./support/stories.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace, madeUpText } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
let cluster: Cluster | undefined;

beforeAll(async () => {
  workspace = await createWorkspace();
});
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});
afterAll(() => workspace.remove());

const workersOf = (step: StepRecord): Set<string> =>
  new Set(step.nodes.map(({ worker }) => worker));

describe("a cluster of 1, 8, 3 and 5 workers within one epoch", () => {
  /** One epoch that is long enough for eight processes to start in, with leaves for all of them. */
  const settings = (): readonly string[] => [
    ...[`data.files=${workspace.at("long.txt")}`, "training.epochs=1", "training.microShards=16"],
    ...["training.batchSize=16", "training.sequenceLength=32", "model.hiddenSize=48"],
    // Nothing is late on a busy machine: a second lease keeps a worker from the next step's first ones.
    "cluster.deadlineSeconds=60",
    ...["evaluation.everySteps=null", "evaluation.batchSize=16", "checkpoints.everySteps=1000"],
  ];

  it("gives the result of one worker; who joins is in the next step, and who stays is not stopped", async () => {
    const { writeFile } = await import("node:fs/promises");
    await writeFile(workspace.at("long.txt"), madeUpText(4_000_000));
    const running = await Cluster.start(
      workspace.config,
      workspace.at("elastic"),
      settingFlags(settings()),
    );
    cluster = running;
    const first = running.addWorker();
    await running.joined(1);
    const added = Array.from({ length: 7 }, () => running.addWorker());
    await running.joined(8);
    const { step: eightAt, workers: allEight } = await running.status();
    await takePart(8, running, eightAt);
    // 8 → 3: two are killed, three are asked to leave.
    for (const worker of added.slice(0, 2)) worker.kill("SIGKILL");
    for (const worker of added.slice(2, 5)) worker.kill("SIGTERM");
    await waitFor("three workers", async () => {
      const active = (await running.status()).workers.filter(({ state }) => state === "active");
      return active.length === 3 || undefined;
    });
    // 3 → 5.
    const late = [running.addWorker(), running.addWorker()];
    await running.joined(5);
    const { step: fiveAt, epoch, workers } = await running.status();
    expect(epoch).toBe(0);
    const lateIds = workers
      .filter(({ name }) => late.some(({ pid }) => name.endsWith(`-${pid}`)))
      .map(({ workerId }) => workerId);
    expect(lateIds).toHaveLength(2);
    await takePart(5, running, fiveAt);
    running.coordinator.kill("SIGTERM");
    await running.coordinator.finished();
    const steps = stepsOf(await ledgerOf(workspace.at("elastic")));
    const sizes = steps.map((step) => workersOf(step).size);
    expect(sizes[0]).toBe(1);
    // Joined while a step was under way: in the next one.
    const at = (wanted: number): Set<string> =>
      workersOf(steps.find(({ step }) => step === wanted)!);
    expect([...at(fiveAt + 2)]).toEqual(expect.arrayContaining(lateIds));
    // Who stayed has the identity that it had: nobody was stopped for the others' sake.
    for (const { pid } of [first, ...added.slice(5)]) {
      const idIn = (of: typeof workers): string | undefined =>
        of.find(({ name }) => name.endsWith(`-${pid}`))?.workerId;
      expect(idIn(workers)).toBeDefined();
      expect(idIn(workers)).toBe(idIn(allEight));
    }
    // The same steps by one worker alone, as far as they go: the digests are chained.
    const alone = await trainToTheEnd(workspace.config, workspace.at("alone"), {
      settings: [...settings(), `training.maxSteps=${steps.length}`],
      workers: [{}],
    });
    const digests = (of: readonly StepRecord[]): readonly string[] =>
      of.map(({ parameters }) => parameters);
    expect(digests(stepsOf(await ledgerOf(alone)))).toEqual(digests(steps));
  }, 480_000);
});

/**
 * Resolves when so many workers have contributed to steps that began after this one. Not all of them to each: one that a slow
 * lease made look slow gets nothing until it is tried again, at the worst some 70 steps later, half a second each.
 */
async function takePart(numWorkers: number, running: Cluster, afterStep: number): Promise<void> {
  const probe = async (): Promise<true | undefined> => {
    const steps = stepsOf(await ledgerOf(running.ready.runDirectory));
    const begun = steps.filter(({ step }) => step > afterStep + 1);
    return new Set(begun.flatMap((step) => [...workersOf(step)])).size === numWorkers || undefined;
  };
  await waitFor(`${numWorkers} workers to take part`, probe, 180_000);
}

describe("a minimum of workers", () => {
  it("keeps a run waiting, says so, and lets it go on when there are enough again", async () => {
    const running = await Cluster.start(
      workspace.config,
      workspace.at("minimum"),
      settingFlags(["cluster.minWorkers=2"]),
    );
    cluster = running;
    const first = running.addWorker();
    await running.joined(1);
    const { waitingFor, step, minWorkers } = await running.status();
    expect([step, minWorkers]).toEqual([0, 2]);
    expect(waitingFor).toMatch(
      /^step 1 waits for workers: 1 is here, cluster\.minWorkers is 2, for [\d.]+ s; it begins as soon as 1 more joins$/,
    );
    const metrics = await (await fetch(`${running.ready.metricsAddress}/metrics`)).text();
    expect(metrics).toContain("ostinato_coordinator_min_workers 2\n");
    expect(metrics).toMatch(/ostinato_coordinator_stalled_seconds (?!0\n)[\d.]+\n/);
    running.addWorker();
    await waitFor("some steps", async () => (await running.status()).step >= 5 || undefined);
    first.kill("SIGKILL");
    const below = await waitFor("the wait", async () => {
      const status = await running.status();
      return status.waitingFor.includes("cluster.minWorkers is 2") ? status : undefined;
    });
    // The step that was under way was finished by the one that is left.
    expect(below.waitingFor).toMatch(
      /^(step|the evaluation at step) \d+ waits for workers: 1 is here/,
    );
    running.addWorker();
    await running.completed();
    await expectVerified(workspace.at("minimum"));
  });
});

describe("a coordinator that is killed and comes back at the same address", () => {
  /** Workers try for a deadline: longer than a process takes to start on a busy machine. */
  const SETTINGS = settingFlags(["cluster.deadlineSeconds=60", "training.maxSteps=30"]);

  const startAt = (address: string, directory: string, flags: readonly string[] = []): Program =>
    startChild([
      ...["coordinator", workspace.config, "--listen", address, "--http", "127.0.0.1:0"],
      ...["--run-dir", directory, ...SETTINGS, ...flags],
    ]);

  it("has its workers back by itself, for the same run alone", async () => {
    const directory = workspace.at("returning");
    const running = await Cluster.start(workspace.config, directory, SETTINGS);
    cluster = running;
    const { address } = running.ready;
    const workers = [running.addWorker(), running.addWorker()];
    await waitFor("some steps", async () => (await running.status()).step >= 13 || undefined);
    running.coordinator.kill("SIGKILL");
    await running.coordinator.finished();
    const resumed = startAt(address, directory, ["--resume"]);
    try {
      expect((await resumed.finished()).code).toBe(0);
      for (const worker of workers) {
        expect(await worker.finished()).toMatchObject({ code: 0, signal: null });
      }
    } finally {
      resumed.kill("SIGKILL");
    }
    const ledger = await ledgerOf(directory);
    expect(ledger.records.some(({ type }) => type === "resume")).toBe(true);
    // Who computes after the resume has an identity of the second incarnation.
    expect([...workersOf(stepsOf(ledger).at(-1)!)].every((id) => id.startsWith("worker-2-"))).toBe(
      true,
    );
    const alone = await trainToTheEnd(workspace.config, workspace.at("undisturbed"), {
      settings: ["training.maxSteps=30"],
      workers: [{}],
    });
    expect(endOf(ledger).parametersSha256).toBe(endOf(await ledgerOf(alone)).parametersSha256);
    await expectVerified(directory);
  });

  it("has none of another run's workers: they say which job it runs and end", async () => {
    const running = await Cluster.start(workspace.config, workspace.at("one-job"), SETTINGS);
    cluster = running;
    const { address } = running.ready;
    const worker = running.addWorker();
    await waitFor("a step", async () => (await running.status()).step >= 1 || undefined);
    const { jobId } = await running.status();
    running.coordinator.kill("SIGKILL");
    await running.coordinator.finished();
    const other = startAt(address, workspace.at("other-job"));
    try {
      const { code, stderr } = await worker.finished();
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^ostinato worker: ${address} now runs job small-[0-9a-f]{8}, not ${jobId}; start a new worker to join it\\n$`,
        ),
      );
      const steps = stepsOf(await ledgerOf(workspace.at("other-job")));
      expect(steps).toEqual([]);
    } finally {
      other.kill("SIGKILL");
      await other.finished();
    }
  });
});
