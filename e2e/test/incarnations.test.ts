/** One coordinator a run, however long another one has slept, and wherever it was stopped. */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Cluster,
  endOf,
  ledgerOf,
  settingFlags,
  startCoordinator,
  stepsOf,
  trainToTheEnd,
} from "./support/cluster.js";
import { FaultyDisk } from "./support/disk.js";
import type { DiskRule } from "./support/disk.js";
import { expectVerified } from "./support/stories.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
/** Final parameters of a run with one coordinator. */
let reference: string;

/** A coordinator is given up after two seconds. */
const settings = ["cluster.deadlineSeconds=2"];

beforeAll(async () => {
  workspace = await createWorkspace();
  const runDirectory = await trainToTheEnd(workspace.config, workspace.at("alone"), {
    workers: [{}],
  });
  reference = endOf(await ledgerOf(runDirectory)).parametersSha256;
});

afterAll(async () => {
  await workspace.remove();
});

/** The bytes of all that a run is, without logs and who claimed it when. */
async function filesOf(path: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/\/(logs|incarnations)\//.test(file))
    .sort();
  const digests = files.map(async (file) => {
    const digest = createHash("sha256").update(await readFile(file));
    return [file, digest.digest("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}

/** The taker has the run and no worker yet: nothing changes in it but by the sleeper, who is woken now. */
async function wakes(sleeper: Cluster, path: string, wake: () => void): Promise<void> {
  const before = await filesOf(path);
  wake();
  const { code, stderr } = await sleeper.coordinator.finished();
  expect(stderr).toMatch(
    /^ostinato: [^\n]*: incarnation 1 was superseded by incarnation 2, the coordinator with [^\n]*\n$/,
  );
  expect(code).toBe(1);
  expect(await filesOf(path)).toEqual(before);
}

async function completes(taker: Cluster, path: string): Promise<void> {
  taker.addWorker();
  await taker.completed();
  const ledger = await ledgerOf(path);
  expect(endOf(ledger).parametersSha256).toBe(reference);
  const steps = stepsOf(ledger).map(({ step }) => step);
  expect(steps).toEqual(steps.map((_, i) => i + 1));
  await expectVerified(path);
}

describe("a coordinator that sleeps while another one resumes its run", () => {
  it.each([
    ["in the middle of a step", undefined],
    [
      "between the check and the write of a ledger line",
      { calls: ["write"], path: "ledger.jsonl$", hold: true },
    ],
    [
      "between the check and the rename of a checkpoint",
      { calls: ["rename"], path: "/checkpoints/\\.step-", hold: true },
    ],
    [
      "between the check and the rename of a pointer",
      { calls: ["rename"], path: "/checkpoints/\\.latest", hold: true },
    ],
  ])("%s changes not a byte when it wakes", async (name, rule) => {
    const path = workspace.at(name.replaceAll(" ", "-"));
    const rules: readonly DiskRule[] = rule === undefined ? [] : [rule];
    const disk = new FaultyDisk(`${path}-disk`, rules);
    const flags = settingFlags(settings);
    const sleeper = await Cluster.start(workspace.config, path, flags, undefined, disk.options);
    try {
      const worker = sleeper.addWorker();
      await sleeper.passes(12);
      disk.fail();
      if (rule !== undefined) await disk.hit();
      sleeper.coordinator.kill("SIGSTOP");
      worker.kill("SIGKILL");
      const taker = await Cluster.start(undefined, path, ["--resume"]);
      try {
        await wakes(sleeper, path, () => {
          disk.heal();
          sleeper.coordinator.kill("SIGCONT");
        });
        await completes(taker, path);
      } finally {
        await taker.close();
      }
    } finally {
      await sleeper.close();
    }
  });
});

describe("a second coordinator", () => {
  it("is refused while the first one lives, and takes over at once from one that was killed", async () => {
    const path = workspace.at("second");
    // As long as the worker looks for its coordinator, and as nobody must wait for one that was killed.
    const flags = settingFlags(["cluster.deadlineSeconds=100"]);
    const first = await Cluster.start(workspace.config, path, flags);
    try {
      first.addWorker();
      await first.passes(3);
      const refused = await startCoordinator(undefined, path, ["--resume"]).finished();
      expect(refused.stderr).toMatch(
        new RegExp(
          `^ostinato: ${path}: in use by the coordinator with process id ${first.coordinator.pid} on [^\\n]*\\n$`,
        ),
      );
      expect(refused.code).toBe(2);
      first.coordinator.kill("SIGKILL");
      await first.coordinator.finished();
      // On the same port: the worker is still there, and finds it.
      const listen = ["--listen", first.ready.address];
      const second = await Cluster.start(undefined, path, ["--resume", ...listen]);
      try {
        await second.completed();
        expect(await first.workers[0]?.finished()).toMatchObject({ code: 0 });
      } finally {
        await second.close();
      }
    } finally {
      await first.close();
    }
    const ledger = await ledgerOf(path);
    expect(endOf(ledger).parametersSha256).toBe(reference);
    const workers = stepsOf(ledger).flatMap(({ nodes }) => nodes.map(({ worker }) => worker));
    expect([...new Set(workers)].sort()).toEqual(["worker-1-1", "worker-2-1"]);
    await expectVerified(path);
  });
});
