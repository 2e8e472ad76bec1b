/** Runs that something happens to in the middle, told to their end. */

import { expect } from "vitest";
import { Cluster, ledgerOf, settingFlags, stepsOf } from "./cluster.js";
import { run } from "./processes.js";
import { waitFor } from "./waiting.js";

export async function expectVerified(runDirectory: string): Promise<void> {
  const verified = await run(["verify", runDirectory]);
  expect(`${verified.stdout}${verified.stderr} exit ${verified.code}`).toMatch(/exit 0$/);
}

/** Goes on with a run, with its own config and one worker. */
export async function resumeToTheEnd(runDirectory: string): Promise<void> {
  const cluster = await Cluster.start(undefined, runDirectory, ["--resume"]);
  try {
    cluster.addWorker();
    await cluster.completed();
  } finally {
    await cluster.close();
  }
}

/**
 * Three workers, one of which is killed while it holds a lease that it has not finished.
 *
 * @returns that worker's id
 */
export async function trainWithKilledWorker(
  config: string,
  runDirectory: string,
  settings: readonly string[] = [],
): Promise<string> {
  const cluster = await Cluster.start(config, runDirectory, settingFlags(settings));
  try {
    for (let i = 0; i < 3; i++) cluster.addWorker();
    await cluster.joined(3);
    const victim = cluster.workers[1];
    if (victim === undefined) throw new Error("no worker");
    // Frozen in the middle of a lease it cannot finish it; then it is killed for good.
    const workerId = await cluster.freeze(victim);
    victim.kill("SIGKILL");
    await cluster.completed();
    return workerId;
  } finally {
    await cluster.close();
  }
}

/**
 * Some workers until the coordinator is killed between two checkpoints, of which there is one every ten steps; three
 * from then on.
 */
export async function trainWithKilledCoordinator(
  config: string,
  runDirectory: string,
  options: { readonly numWorkers: number; readonly settings?: readonly string[] },
): Promise<void> {
  const { numWorkers, settings = [] } = options;
  const flags = settingFlags(settings);
  const first = await Cluster.start(config, runDirectory, flags);
  try {
    for (let i = 0; i < numWorkers; i++) first.addWorker();
    await waitFor("a step between two checkpoints", async () => {
      const { step = 0 } = stepsOf(await ledgerOf(runDirectory)).at(-1) ?? {};
      // Not a step that has a checkpoint of its own: there must be something to repeat.
      return (step >= 17 && step % 10 > 3 && step % 10 < 8) || undefined;
    });
    first.coordinator.kill("SIGKILL");
    await first.coordinator.finished();
  } finally {
    await first.close();
  }
  const resumed = await Cluster.start(config, runDirectory, ["--resume", ...flags]);
  try {
    for (let i = 0; i < 3; i++) resumed.addWorker();
    await resumed.completed();
  } finally {
    await resumed.close();
  }
}
