/** Batch normalization in a cluster: the running statistics have the same bits as the parameters do. */

import { loadCheckpoint, openRunDirectory } from "@ostinato/run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Cluster,
  endOf,
  ledgerOf,
  settingFlags,
  stepsOf,
  trainToTheEnd,
} from "./support/cluster.js";
import { run } from "./support/processes.js";
import { expectVerified } from "./support/stories.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

const SETTINGS = ["model.normalization=batch", "training.maxSteps=40", "checkpoints.everySteps=10"];

interface Outcome {
  readonly parametersSha256: string;
  readonly statistics: readonly number[];
  /** Of every step: over parameters and statistics. */
  readonly digests: readonly string[];
}

let workspace: Workspace;
let reference: Outcome;

async function outcomeOf(runDirectory: string): Promise<Outcome> {
  await expectVerified(runDirectory);
  const ledger = await ledgerOf(runDirectory);
  const { step, parametersSha256 } = endOf(ledger);
  const { statistics } = await loadCheckpoint(await openRunDirectory(runDirectory), step);
  const digests = stepsOf(ledger).map(({ parameters }) => parameters);
  return { parametersSha256, statistics: [...statistics], digests };
}

beforeAll(async () => {
  workspace = await createWorkspace();
  const options = { settings: SETTINGS, workers: [{}] };
  reference = await outcomeOf(
    await trainToTheEnd(workspace.config, workspace.at("one-worker"), options),
  );
});

afterAll(async () => {
  await workspace.remove();
});

describe("the running statistics and the parameters of a run with batch normalization", () => {
  it("were moved by every step, in both layers", () => {
    // Of each layer 16 means, which start from 0, and 16 variances, which start from 1.
    expect(reference.statistics).toHaveLength(64);
    for (const value of reference.statistics) expect([0, 1]).not.toContain(value);
    expect(new Set(reference.digests).size).toBe(40);
  });

  it.each([2, 3])("are the same with %d workers", async (numWorkers) => {
    const workers = Array.from({ length: numWorkers }, () => ({}));
    const runDirectory = workspace.at(`workers-${numWorkers}`);
    const options = { settings: SETTINGS, workers };
    await trainToTheEnd(workspace.config, runDirectory, options);
    expect(await outcomeOf(runDirectory)).toEqual(reference);
  });

  it("are the same when a worker is killed", async () => {
    const runDirectory = workspace.at("killed");
    const cluster = await Cluster.start(workspace.config, runDirectory, settingFlags(SETTINGS));
    try {
      const victim = cluster.addWorker();
      cluster.addWorker();
      await cluster.joined(2);
      await waitFor("a lease of the one to be killed", async () => {
        const status = await cluster.statusOf(victim);
        return (status !== undefined && status.leaves.length > 0) || undefined;
      });
      victim.kill("SIGKILL");
      await cluster.completed();
    } finally {
      await cluster.close();
    }
    expect(await outcomeOf(runDirectory)).toEqual(reference);
  });

  it.each(["SIGKILL", "SIGTERM"] as const)(
    "are the same when the coordinator gets a %s and the run goes on",
    async (signal) => {
      const runDirectory = workspace.at(`resumed-${signal}`);
      const first = await Cluster.start(workspace.config, runDirectory, settingFlags(SETTINGS));
      try {
        first.addWorker();
        await waitFor("a step without a checkpoint", async () => {
          const { step = 0 } = stepsOf(await ledgerOf(runDirectory)).at(-1) ?? {};
          return (step > 10 && step % 10 > 3) || undefined;
        });
        first.coordinator.kill(signal);
        await first.coordinator.finished();
      } finally {
        await first.close();
      }
      const flags = ["--resume", ...settingFlags(SETTINGS)];
      const resumed = await Cluster.start(workspace.config, runDirectory, flags);
      try {
        resumed.addWorker();
        resumed.addWorker();
        await resumed.completed();
      } finally {
        await resumed.close();
      }
      const { records } = await ledgerOf(runDirectory);
      expect(records.some(({ type }) => type === "resume")).toBe(true);
      expect(await outcomeOf(runDirectory)).toEqual(reference);
    },
  );
});

describe("ostinato evaluate", () => {
  it("has the loss of the ledger: it normalizes by the statistics of the best step", async () => {
    const runDirectory = workspace.at("one-worker");
    const { records } = await ledgerOf(runDirectory);
    const tested = records.find(
      (record) => record.type === "evaluation" && record.split === "test",
    );
    const { code, stdout, stderr } = await run([
      ...["evaluate", runDirectory, "--split", "test", "--json"],
    ]);
    expect(`${stderr} exit ${code}`).toMatch(/exit 0$/);
    const told = JSON.parse(stdout) as { readonly loss: number; readonly step: number };
    expect({ loss: told.loss, step: told.step }).toEqual({
      loss: tested?.type === "evaluation" ? tested.loss : undefined,
      step: endOf(await ledgerOf(runDirectory)).best?.step,
    });
  });

  it("and ostinato generate writes with them", async () => {
    const flags = ["--prompt", "the ", "--length", "20", "--seed", "1"];
    const { code, stdout } = await run(["generate", workspace.at("one-worker"), ...flags]);
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(20);
  });
});
