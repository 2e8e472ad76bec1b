/** A run that its evaluations decide about ends with the same bits, however often it is interrupted. */

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
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

/**
 * No loss falls by 1000 nats, so that no evaluation but the first is an improvement, whatever the bits
 * of the losses: the rate is halved after every second one, and the eighth after the first, that of
 * step 45, ends the run, long before its two epochs do.
 */
const SETTINGS = [
  "evaluation.everySteps=5",
  "training.earlyStopping.patience=8",
  "training.earlyStopping.minDelta=1000",
  "optimizer.schedule.kind=plateau",
  "optimizer.schedule.factor=0.5",
  "optimizer.schedule.patience=1",
  "optimizer.schedule.threshold=1000",
  "optimizer.schedule.thresholdMode=abs",
];
const RATES = [
  { steps: [1, 15], rate: 0.01 },
  { steps: [16, 25], rate: 0.005 },
  { steps: [26, 35], rate: 0.0025 },
  { steps: [36, 45], rate: 0.00125 },
] as const;

let workspace: Workspace;

beforeAll(async () => {
  workspace = await createWorkspace();
});

afterAll(async () => {
  await workspace.remove();
});

async function expectDecided(runDirectory: string): Promise<string> {
  const ledger = await ledgerOf(runDirectory);
  const steps = stepsOf(ledger);
  const expected = RATES.flatMap(({ steps: [first, last], rate }) =>
    Array.from({ length: last - first + 1 }, (_, i) => ({ step: first + i, learningRate: rate })),
  );
  expect(steps.map(({ step, learningRate }) => ({ step, learningRate }))).toEqual(expected);
  const end = endOf(ledger);
  expect(end).toMatchObject({ step: 45, stopReason: "earlyStopping" });
  const last = ledger.records.filter((record) => record.type === "evaluation").at(-1);
  expect(last).toMatchObject({ split: "test", step: end.best?.step });
  const verified = await run(["verify", runDirectory]);
  expect(`${verified.stdout}${verified.stderr} exit ${verified.code}`).toMatch(
    /verified: 45 steps, ended by early stopping.* exit 0$/s,
  );
  return end.parametersSha256;
}

describe("a run with early stopping and reduce on plateau", () => {
  it("ends at the same step with the same parameters when it is killed, stopped and resumed", async () => {
    const settings = SETTINGS;
    const whole = await trainToTheEnd(workspace.config, workspace.at("whole"), {
      ...{ settings, workers: [{}] },
    });
    const reference = await expectDecided(whole);

    const runDirectory = workspace.at("interrupted");
    const interrupt = async (
      flags: readonly string[],
      from: number,
      signal: "SIGKILL" | "SIGTERM",
    ): Promise<void> => {
      const cluster = await Cluster.start(workspace.config, runDirectory, flags);
      try {
        cluster.addWorker();
        await waitFor(`step ${from} in the ledger`, async () => {
          const { step = 0 } = stepsOf(await ledgerOf(runDirectory)).at(-1) ?? {};
          // Not where a checkpoint is due: there must be something to decide again.
          return (step >= from && step % 10 > 5) || undefined;
        });
        cluster.coordinator.kill(signal);
        await cluster.coordinator.finished();
      } finally {
        await cluster.close();
      }
    };
    const again = ["--resume", ...settingFlags(SETTINGS)];
    await interrupt(settingFlags(SETTINGS), 16, "SIGKILL");
    await interrupt(again, 26, "SIGTERM");
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
    expect(records.some((record) => record.type === "step" && record.incarnation === 3)).toBe(true);
    expect(await expectDecided(runDirectory)).toBe(reference);
  });
});
