/** Workers change the speed, never the result: real processes, real sockets, real signals. */

import { join } from "node:path";
import type { StepRecord } from "@ostinato/run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, endOf, ledgerOf, stepsOf, trainToTheEnd } from "./support/cluster.js";
import {
  expectVerified,
  trainWithKilledCoordinator,
  trainWithKilledWorker,
} from "./support/stories.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
/** Final parameters of an undisturbed run with one worker. */
let reference: string;

const workersOf = (step: StepRecord): Set<string> =>
  new Set(step.nodes.map(({ worker }) => worker));

function trainUndisturbed(name: string, numWorkers: number): Promise<string> {
  const workers = Array.from({ length: numWorkers }, () => ({}));
  return trainToTheEnd(workspace.config, workspace.at(name), { workers });
}

beforeAll(async () => {
  workspace = await createWorkspace();
  const runDirectory = await trainUndisturbed("one-worker", 1);
  reference = endOf(await ledgerOf(runDirectory)).parametersSha256;
  await expectVerified(runDirectory);
});

afterAll(async () => {
  await workspace.remove();
});

describe("the final parameters", () => {
  it("are the same with three workers, who all contributed subtrees of different sizes", async () => {
    const runDirectory = await trainUndisturbed("three-workers", 3);
    const ledger = await ledgerOf(runDirectory);
    expect(endOf(ledger).parametersSha256).toBe(reference);
    // The workers start together, but need not be ready together: some early steps may have fewer.
    const shared = stepsOf(ledger).filter((step) => workersOf(step).size === 3);
    expect(shared.length).toBeGreaterThan(0);
    const isUneven = (step: StepRecord): boolean =>
      new Set(step.nodes.map(({ count }) => count)).size > 1;
    expect(shared.some(isUneven)).toBe(true);
    await expectVerified(runDirectory);
  });

  it("are the same when a worker is killed while it holds an unfinished lease", async () => {
    const runDirectory = workspace.at("killed-worker");
    const workerId = await trainWithKilledWorker(workspace.config, runDirectory);
    const ledger = await ledgerOf(runDirectory);
    const lost = stepsOf(ledger).flatMap((step) => step.lost);
    const ofVictim = lost.filter(({ worker }) => worker === workerId);
    expect(ofVictim.length).toBeGreaterThan(0);
    expect(ofVictim.flatMap(({ leaves }) => leaves).length).toBeGreaterThan(0);
    expect(endOf(ledger).parametersSha256).toBe(reference);
    await expectVerified(runDirectory);
  });

  it("are the same when the coordinator is killed after a ledger line and the run resumed", async () => {
    const runDirectory = workspace.at("killed-coordinator");
    await trainWithKilledCoordinator(workspace.config, runDirectory, { numWorkers: 2 });
    const ledger = await ledgerOf(runDirectory);
    const resume = ledger.records.find((record) => record.type === "resume");
    if (resume?.type !== "resume") throw new Error("the ledger has no resume");
    expect(resume.ledgerStep).toBeGreaterThan(resume.checkpointStep);
    const steps = stepsOf(ledger).map(({ step }) => step);
    expect(new Set(steps).size).toBe(steps.length);
    expect(endOf(ledger).parametersSha256).toBe(reference);
    await expectVerified(runDirectory);
  });

  it("are the same when the run is stopped with SIGTERM and resumed in a later epoch", async () => {
    const runDirectory = workspace.at("stopped");
    const first = await Cluster.start(workspace.config, runDirectory);
    try {
      first.addWorker();
      await waitFor("the second epoch", async () => (await first.status()).epoch > 0 || undefined);
      first.coordinator.kill("SIGTERM");
      expect(await first.coordinator.finished()).toMatchObject({ code: 143, signal: null });
      expect(await first.workers[0]?.finished()).toMatchObject({ code: 0, signal: null });
    } finally {
      await first.close();
    }
    const stoppedAt = stepsOf(await ledgerOf(runDirectory)).at(-1);
    expect(stoppedAt?.epoch).toBe(1);
    const resumed = await Cluster.start(workspace.config, runDirectory, ["--resume"]);
    try {
      resumed.addWorker();
      resumed.addWorker();
      await resumed.completed();
    } finally {
      await resumed.close();
    }
    const ledger = await ledgerOf(runDirectory);
    const resume = ledger.records.find((record) => record.type === "resume");
    expect(resume).toMatchObject({ checkpointStep: stoppedAt?.step, ledgerStep: stoppedAt?.step });
    expect(endOf(ledger).parametersSha256).toBe(reference);
    await expectVerified(runDirectory);
  });

  it("are the same when a worker drains with SIGTERM and another joins in mid-run", async () => {
    const runDirectory = workspace.at("drained");
    const cluster = await Cluster.start(workspace.config, runDirectory);
    try {
      const leaving = cluster.addWorker();
      await waitFor("some steps", async () => (await cluster.status()).step >= 5 || undefined);
      leaving.kill("SIGTERM");
      expect(await leaving.finished()).toMatchObject({ code: 0, signal: null });
      cluster.addWorker();
      await cluster.completed();
      const ledger = await ledgerOf(runDirectory);
      expect(new Set(stepsOf(ledger).flatMap((step) => [...workersOf(step)])).size).toBe(2);
      expect(endOf(ledger).parametersSha256).toBe(reference);
      await expectVerified(runDirectory);
    } finally {
      await cluster.close();
    }
  });
});

describe("a run whose best evaluation is not its last", () => {
  it("ends with the test part at the best, an old version by then", async () => {
    // With such a learning rate each step does harm: the first evaluation is the best.
    const settings = [
      "training.maxSteps=16",
      "evaluation.everySteps=2",
      "optimizer.learningRate=4",
    ];
    const runDirectory = await trainToTheEnd(workspace.config, workspace.at("overshot"), {
      settings,
      workers: [{}, {}],
    });
    const ledger = await ledgerOf(runDirectory);
    const { best, step } = endOf(ledger);
    expect(best?.step).toBeLessThan(step - 2);
    const last = ledger.records.filter((record) => record.type === "evaluation").at(-1);
    expect(last).toMatchObject({ split: "test", step: best?.step });
    await expectVerified(runDirectory);
  });
});

describe("a run directory", () => {
  it("keeps the newest checkpoints and the best, as its config says", async () => {
    const { readdir, readFile } = await import("node:fs/promises");
    const folder = join(workspace.at("one-worker"), "checkpoints");
    const names = (await readdir(folder)).filter((name) => name.startsWith("step-")).sort();
    const best = JSON.parse(await readFile(join(folder, "best.json"), "utf8")) as { step: number };
    const bestName = `step-${String(best.step).padStart(8, "0")}`;
    expect(names).toContain(bestName);
    // The newest three, by default; and the best, where that is an older one.
    expect(names.length).toBe(names.indexOf(bestName) === 0 && names.length === 4 ? 4 : 3);
    const last = endOf(await ledgerOf(workspace.at("one-worker"))).step;
    expect(names).toContain(`step-${String(last).padStart(8, "0")}`);
  });
});
