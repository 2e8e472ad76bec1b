/** What a coordinator does when its disk fails: real processes over a file system that fails on request. */

import { createHash } from "node:crypto";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRunDirectory, readLedger } from "@ostinato/run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Cluster,
  endOf,
  ledgerOf,
  startCoordinator,
  stepsOf,
  trainToTheEnd,
} from "./support/cluster.js";
import { FaultyDisk } from "./support/disk.js";
import type { DiskRule } from "./support/disk.js";
import { run } from "./support/processes.js";
import { expectVerified, resumeToTheEnd } from "./support/stories.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
/** Final parameters of a run whose disk is well. */
let reference: string;

beforeAll(async () => {
  workspace = await createWorkspace();
  const runDirectory = await trainToTheEnd(workspace.config, workspace.at("well"), {
    workers: [{}],
  });
  reference = endOf(await ledgerOf(runDirectory)).parametersSha256;
});

afterAll(async () => {
  await workspace.remove();
});

const writes = ["open", "mkdir", "write"] as const;

async function startOn(
  name: string,
  rules: readonly DiskRule[],
): Promise<{ readonly cluster: Cluster; readonly disk: FaultyDisk; readonly path: string }> {
  const path = workspace.at(name);
  const disk = new FaultyDisk(workspace.at(`${name}-disk`), rules);
  return {
    cluster: await Cluster.start(workspace.config, path, [], undefined, disk.options),
    disk,
    path,
  };
}

const stepOf = async (cluster: Cluster): Promise<number> => (await cluster.status()).step;

const logOf = (path: string): Promise<string> =>
  readFile(join(path, "logs", "coordinator.log"), "utf8");

const checkpointsOf = async (path: string): Promise<string[]> =>
  (await readdir(join(path, "checkpoints"))).filter((name) => name.startsWith("step-")).sort();

async function completes(path: string): Promise<void> {
  expect(endOf(await ledgerOf(path)).parametersSha256).toBe(reference);
  await expectVerified(path);
}

/** Goes on with a run whose disk is well again. */
async function resumes(path: string): Promise<void> {
  await resumeToTheEnd(path);
  await completes(path);
}

describe("training goes on", () => {
  it("while the disk is read-only, full and broken for checkpoints and metrics, and makes up for it", async () => {
    const { cluster, disk, path } = await startOn("faulty", [
      { calls: ["mkdir"], path: "/checkpoints/", error: "EROFS", times: 1 },
      { calls: ["write"], path: "/checkpoints/", error: "ENOSPC", times: 1 },
      { calls: ["fsync"], path: "/checkpoints/", error: "EIO" },
      { calls: ["write"], path: "metrics.jsonl$", error: "ENOSPC", bytes: 9 },
      { calls: ["futimes"], path: "/incarnations/", error: "EIO" },
    ]);
    try {
      cluster.addWorker();
      await cluster.passes(10);
      disk.fail();
      const failures = 'ostinato_coordinator_checkpoints_total{outcome="failed"}';
      await waitFor("three checkpoints to fail", async () => {
        return (await cluster.metric(failures)) >= 3 || undefined;
      });
      const kept = await checkpointsOf(path);
      expect(kept.length).toBeGreaterThan(0);
      expect(
        await cluster.metric('ostinato_coordinator_storage_failing{part="checkpoints"}'),
      ).toBeGreaterThan(1);
      expect(
        await cluster.metric('ostinato_coordinator_storage_failing{part="metrics"}'),
      ).toBeGreaterThan(1);
      expect(await cluster.metric("ostinato_coordinator_checkpoint_age_seconds")).toBeGreaterThan(
        0,
      );
      disk.heal();
      await cluster.completed();
      expect(disk.hits.some((hit) => hit.includes("metrics.jsonl"))).toBe(true);
    } finally {
      await cluster.close();
    }
    for (const call of ["mkdir", "write", "fsync"]) {
      expect(disk.hits.some((hit) => hit.startsWith(`${call} ${path}/checkpoints/`))).toBe(true);
    }
    // The heartbeat of its claim.
    expect(disk.hits.some((hit) => hit.startsWith(`futimes ${path}/`))).toBe(true);
    const log = await logOf(path);
    const told = log.split("\n").filter((line) => line.includes("training goes on"));
    expect(told).toHaveLength(2);
    expect(log).toMatch(/checkpoint of step \d+ could not be written: [^\n]*; training goes on/);
    expect(log).toMatch(/checkpoints can be written again, after \d+ failures in a row/);
    const steps = stepsOf(await ledgerOf(path));
    const lines = (await readFile(join(path, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
    const metrics = lines.map((line) => JSON.parse(line) as { type: string; step: number });
    expect(metrics.filter(({ type }) => type === "step").map(({ step }) => step)).toEqual(
      steps.map(({ step }) => step),
    );
    await completes(path);
  });

  it("while the disk is too slow for its checkpoints", async () => {
    const { cluster, disk, path } = await startOn("slow", [
      { calls: ["fsync"], path: "/checkpoints/", hold: true },
    ]);
    try {
      cluster.addWorker();
      await cluster.passes(5);
      disk.fail();
      await disk.hit();
      const before = await stepOf(cluster);
      await cluster.passes(before + 25);
      disk.heal();
      await cluster.completed();
    } finally {
      await cluster.close();
    }
    await completes(path);
  });

  it("where the metrics of the run cannot be kept at all", async () => {
    const path = workspace.at("no-metrics");
    const rules = [{ calls: ["open"], path: "metrics.jsonl$", error: "EACCES" }];
    const disk = new FaultyDisk(workspace.at("no-metrics-disk"), rules).fail();
    const flags = ["--set", "training.maxSteps=12"];
    const cluster = await Cluster.start(workspace.config, path, flags, undefined, disk.options);
    try {
      cluster.addWorker();
      await cluster.completed();
    } finally {
      await cluster.close();
    }
    expect(await logOf(path)).toContain(
      `${path}/metrics.jsonl: cannot be written (EACCES); training goes on without it`,
    );
    await expectVerified(path);
  });

  it("when the ledger could not be synced once, and no checkpoint names what may be lost", async () => {
    const { cluster, disk, path } = await startOn("unsynced", [
      { calls: ["fdatasync"], path: "ledger.jsonl$", error: "EIO", times: 1 },
    ]);
    try {
      cluster.addWorker();
      await cluster.passes(5);
      disk.fail();
      await cluster.completed();
    } finally {
      await cluster.close();
    }
    expect(disk.hits).toHaveLength(1);
    expect(await logOf(path)).toMatch(
      /could not be written: [^\n]*ledger.jsonl: cannot be w[^\n]*EIO/,
    );
    await completes(path);
  });
});

describe("a run stops", () => {
  it("in one line when a ledger line does not fit on the disk, with no half of it, and goes on by a resume", async () => {
    const { cluster, disk, path } = await startOn("ledger", [
      { calls: ["write"], path: "ledger.jsonl$", error: "ENOSPC", bytes: 50 },
    ]);
    try {
      cluster.addWorker();
      await cluster.passes(12);
      disk.fail();
      const { code, stderr } = await cluster.coordinator.finished();
      expect(code).toBe(1);
      expect(stderr).toBe(`ostinato: ${path}/ledger.jsonl: cannot be written (ENOSPC)\n`);
      // Its worker was told.
      expect(await cluster.workers[0]?.finished()).toMatchObject({ code: 1 });
    } finally {
      await cluster.close();
    }
    expect((await ledgerOf(path)).tornTail).toBeUndefined();
    await expectVerified(path);
    await resumes(path);
  });

  it("within a ledger line when the machine goes down, and the resume cuts it off", async () => {
    const { cluster, disk, path } = await startOn("torn", [
      { calls: ["write"], path: "ledger.jsonl$", bytes: 40, kill: true },
    ]);
    try {
      cluster.addWorker();
      await cluster.passes(12);
      disk.fail();
      expect(await cluster.coordinator.finished()).toMatchObject({ signal: "SIGKILL" });
    } finally {
      await cluster.close();
    }
    expect((await ledgerOf(path)).tornTail).toEqual({ bytes: 40 });
    await resumes(path);
    expect(await logOf(path)).toContain(
      "40 bytes at the ledger's end were damaged and are cut off",
    );
  });

  it("when its last checkpoint cannot be written, and keeps the one before", async () => {
    const { cluster, disk, path } = await startOn("last", [
      { calls: writes, path: "/checkpoints/", error: "ENOSPC" },
    ]);
    try {
      cluster.addWorker();
      await cluster.passes(12);
      disk.fail();
      await disk.hit();
      cluster.coordinator.kill("SIGTERM");
      const { code, stderr } = await cluster.coordinator.finished();
      expect(code).toBe(1);
      expect(stderr).toMatch(/^ostinato: [^\n]*\/checkpoints[^\n]*\(ENOSPC\)\n$/);
    } finally {
      await cluster.close();
    }
    expect(await checkpointsOf(path)).not.toEqual([]);
    await resumes(path);
  });
});

/** A run that was stopped, with four checkpoints at the most. */
async function stoppedRun(name: string): Promise<string> {
  const path = workspace.at(name);
  const cluster = await Cluster.start(workspace.config, path);
  try {
    cluster.addWorker();
    await cluster.passes(32);
    cluster.coordinator.kill("SIGTERM");
    expect(await cluster.coordinator.finished()).toMatchObject({ code: 143 });
  } finally {
    await cluster.close();
  }
  return path;
}

describe("a resume", () => {
  it("goes back behind a flipped byte, a missing file and a pointer to nothing", async () => {
    const path = await stoppedRun("damaged");
    const names = await checkpointsOf(path);
    const [older, old, newest] = names.slice(-3);
    const flipped = join(path, "checkpoints", newest ?? "", "parameters.safetensors");
    const bytes = await readFile(flipped);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 4, bytes.length >> 1);
    await writeFile(flipped, bytes);
    await rm(join(path, "checkpoints", old ?? "", "optimizer.safetensors"));
    await writeFile(join(path, "checkpoints", "latest.json"), "{}");
    await resumes(path);
    const log = await logOf(path);
    expect(log).toContain(
      `${newest} was skipped: parameters.safetensors does not have the SHA-256`,
    );
    expect(log).toContain(`${old} was skipped: optimizer.safetensors is missing`);
    expect(log).toContain(`resumed from step ${Number(older?.slice(5))}`);
  });

  it("is refused by name for a checkpoint of a newer format, which stays as it is", async () => {
    const path = await stoppedRun("newer");
    const names = await checkpointsOf(path);
    const file = join(path, "checkpoints", names.at(-1) ?? "", "manifest.json");
    const { hash: _, ...manifest } = JSON.parse(await readFile(file, "utf8")) as { hash: string };
    const json = JSON.stringify({ ...manifest, format: 2 });
    const hash = createHash("sha256").update(json).digest("hex");
    await writeFile(file, `${json.slice(0, -1)},"hash":"${hash}"}\n`);
    const before = await readFile(join(path, "ledger.jsonl"));
    const { code, stderr } = await startCoordinator(undefined, path, ["--resume"]).finished();
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^ostinato: step-\d+: manifest.json: is of format 2, which a newer version[^\n]*\n$/,
    );
    expect(await checkpointsOf(path)).toEqual(names);
    expect(await readFile(join(path, "ledger.jsonl"))).toEqual(before);
    const verified = await run(["verify", path]);
    expect(verified.stdout + verified.stderr).toContain("is of format 2");
    // Who goes on without it says so by moving it away. Of the others none verifies: all of the run is repeated.
    await rm(join(path, "checkpoints", names.at(-1) ?? ""), { recursive: true });
    for (const name of names.slice(0, -1)) {
      await writeFile(join(path, "checkpoints", name, "manifest.json"), "{}\n");
    }
    await resumes(path);
    expect(await logOf(path)).toContain("resumed from step 0");
  });

  it.each([
    ["cannot claim the run", { calls: ["open"], path: "/incarnations/" }, "incarnations"],
    ["cannot begin its ledger", { calls: ["copyFile", "open"], path: "ledger.jsonl" }, "ledger"],
  ])("is refused in one line where it %s on a read-only disk", async (_, rule, name) => {
    const path = await stoppedRun(`read-only-${name}`);
    const disk = new FaultyDisk(workspace.at(`read-only-${name}-disk`), [
      { ...rule, error: "EROFS" },
    ]).fail();
    const before = await readFile(join(path, "ledger.jsonl"));
    const refused = startCoordinator(undefined, path, ["--resume"], disk.options);
    const { code, stderr } = await refused.finished();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^ostinato: [^\\n]*${name}[^\\n]*\\(EROFS\\)\\n$`));
    expect(await readFile(join(path, "ledger.jsonl"))).toEqual(before);
    const { paths } = await openRunDirectory(path);
    expect((await readLedger(paths.ledger)).tornTail).toBeUndefined();
    disk.heal();
    await resumes(path);
  });

  it("takes the config that the run was begun with, and operational keys on top of it", async () => {
    const path = workspace.at("own-config");
    const flags = ["--set", "training.maxSteps=14", "checkpoints.everySteps=4"];
    const cluster = await Cluster.start(workspace.config, path, flags);
    try {
      cluster.addWorker();
      await cluster.passes(5);
      cluster.coordinator.kill("SIGKILL");
    } finally {
      await cluster.close();
    }
    const refused = startCoordinator(undefined, path, [
      "--resume",
      "--set",
      "training.maxSteps=20",
    ]);
    expect(await refused.finished()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^ostinato: training.maxSteps is 20, but the run was begun with 14: [^\n]*\n$/,
      ) as string,
    });
    const args = ["--resume", "--run-dir", path, "--workers", "1", "--set", "checkpoints.keep=1"];
    const { code, stderr } = await run(["train", ...args]);
    expect(code, stderr).toBe(0);
    expect(endOf(await ledgerOf(path)).step).toBe(14);
    expect((await openRunDirectory(path)).config.checkpoints).toMatchObject({
      everySteps: 4,
      keep: 1,
    });
    await expectVerified(path);
  });
});
