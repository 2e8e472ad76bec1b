/** Averaged SGD in a cluster: neither workers nor interruptions change what is averaged. */

import { decisionsOf, loadCheckpoint, openRunDirectory, replayDecisions } from "@ostinato/run";
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

/** So long a step makes the loss go up and down; an average goes down. */
const SETTINGS = [
  "optimizer.kind=averagedSgd",
  "optimizer.learningRate=8",
  "optimizer.nonmonotonicInterval=1",
  "evaluation.everySteps=3",
  "training.maxSteps=60",
  "checkpoints.everySteps=10",
];

interface Outcome {
  readonly parametersSha256: string;
  readonly average: readonly number[];
  /** Of what was trained, step by step, and of what was evaluated. */
  readonly digests: readonly string[];
}

let workspace: Workspace;
let reference: Outcome;
/** The step whose evaluation starts the averaging. */
let startStep: number;

async function outcomeOf(runDirectory: string): Promise<Outcome> {
  await expectVerified(runDirectory);
  const ledger = await ledgerOf(runDirectory);
  const { step, parametersSha256 } = endOf(ledger);
  const { optimizer } = await loadCheckpoint(await openRunDirectory(runDirectory), step);
  const digests = ledger.records.flatMap((record) =>
    record.type === "step" || record.type === "evaluation" ? [record.parameters] : [],
  );
  return { parametersSha256, average: [...(optimizer.slots["average"] ?? [])], digests };
}

beforeAll(async () => {
  workspace = await createWorkspace();
  const options = { settings: SETTINGS, workers: [{}] };
  const runDirectory = await trainToTheEnd(workspace.config, workspace.at("one-worker"), options);
  reference = await outcomeOf(runDirectory);
  const { config } = await openRunDirectory(runDirectory);
  const { records } = await ledgerOf(runDirectory);
  const { averaging } = replayDecisions(decisionsOf(config), records);
  startStep = averaging?.startStep ?? NaN;
});

afterAll(async () => {
  await workspace.remove();
});

describe("a run with averaged SGD", () => {
  it("averages from an evaluation on, and evaluates the average, which is the best", async () => {
    expect(startStep).toBeGreaterThan(3);
    expect(startStep).toBeLessThan(50);
    const ledger = await ledgerOf(workspace.at("one-worker"));
    const trained = new Map(stepsOf(ledger).map(({ step, parameters }) => [step, parameters]));
    for (const record of ledger.records) {
      if (record.type !== "evaluation") continue;
      const isTrained = record.parameters === trained.get(record.step);
      expect(isTrained, `step ${record.step}`).toBe(record.step <= startStep);
    }
    expect(endOf(ledger).best?.step).toBeGreaterThan(startStep);
    // Versions are not leased in their order; nobody gives a lease back for that.
    expect(stepsOf(ledger).flatMap(({ lost }) => lost)).toEqual([]);
  });

  it.each([2, 3])("ends with the same average with %d workers", async (numWorkers) => {
    const runDirectory = workspace.at(`workers-${numWorkers}`);
    const workers = Array.from({ length: numWorkers }, () => ({}));
    await trainToTheEnd(workspace.config, runDirectory, { settings: SETTINGS, workers });
    expect(await outcomeOf(runDirectory)).toEqual(reference);
  });

  it("ends with the same average when it is stopped before its start and killed after it", async () => {
    const runDirectory = workspace.at("interrupted");
    const interrupt = async (
      flags: readonly string[],
      isDue: (step: number) => boolean,
      signal: "SIGKILL" | "SIGTERM",
    ): Promise<void> => {
      const cluster = await Cluster.start(workspace.config, runDirectory, flags);
      try {
        cluster.addWorker();
        await waitFor("the step of the interruption", async () => {
          const { step = 0 } = stepsOf(await ledgerOf(runDirectory)).at(-1) ?? {};
          return isDue(step) || undefined;
        });
        cluster.coordinator.kill(signal);
        await cluster.coordinator.finished();
      } finally {
        await cluster.close();
      }
    };
    const again = ["--resume", ...settingFlags(SETTINGS)];
    await interrupt(settingFlags(SETTINGS), (step) => step >= startStep - 2, "SIGTERM");
    // Not where a checkpoint is due: there must be something to average again.
    await interrupt(again, (step) => step > startStep + 1 && step % 10 > 3, "SIGKILL");
    const resumed = await Cluster.start(workspace.config, runDirectory, again);
    try {
      resumed.addWorker();
      resumed.addWorker();
      await resumed.completed();
    } finally {
      await resumed.close();
    }
    const { records } = await ledgerOf(runDirectory);
    expect(records.filter(({ type }) => type === "resume")).toHaveLength(2);
    expect(await outcomeOf(runDirectory)).toEqual(reference);
  });

  it("is used with its average: ostinato evaluate has the ledger's last loss", async () => {
    const runDirectory = workspace.at("one-worker");
    const { records } = await ledgerOf(runDirectory);
    const last = records.filter((record) => record.type === "evaluation").at(-1);
    const { code, stdout } = await run(["evaluate", runDirectory, "--split", "test", "--json"]);
    expect(code).toBe(0);
    const { loss, step } = JSON.parse(stdout) as { readonly loss: number; readonly step: number };
    expect({ loss, step }).toEqual({ loss: last?.loss, step: last?.step });
  });
});
