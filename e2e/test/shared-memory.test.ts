/** Coordinator and workers of one machine pass tensors in shared memory: real processes, real files in memory. */

import { existsSync, readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, endOf, ledgerOf, settingFlags, trainToTheEnd } from "./support/cluster.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

const MEMORY = "/dev/shm";
const hasMemory = existsSync(MEMORY);

const foldersOf = (pid: number): readonly string[] =>
  readdirSync(MEMORY).filter((name) => name.startsWith(`ostinato-${pid}-`));

async function bytes(cluster: Cluster, labels: string): Promise<number> {
  return cluster.metric(`ostinato_coordinator_tensor_bytes_total{${labels}}`);
}

/** Resolves once tensors went through memory, both ways; the first parameters go over the stream. */
async function sharesMemory(cluster: Cluster): Promise<void> {
  for (const direction of ["sent", "received"]) {
    await waitFor(`tensors ${direction} in shared memory`, async () => {
      const labels = `direction="${direction}",carrier="sharedMemory"`;
      return (await bytes(cluster, labels)) > 0 || undefined;
    });
  }
}

const why = hasMemory ? "" : ` (skipped: this system has no ${MEMORY})`;

describe.skipIf(!hasMemory)(`shared memory${why}`, () => {
  let workspace: Workspace;
  /** Final parameters of a run whose tensors all went over streams. */
  let reference: string;

  beforeAll(async () => {
    workspace = await createWorkspace();
    const settings = ["cluster.sharedMemory=false"];
    const runDirectory = await trainToTheEnd(workspace.config, workspace.at("streams"), {
      ...{ settings, workers: [{}, {}] },
    });
    reference = endOf(await ledgerOf(runDirectory)).parametersSha256;
  });

  afterAll(async () => {
    await workspace.remove();
  });

  it("carries parameters and gradients to the same result, and is gone after the run", async () => {
    const runDirectory = workspace.at("shared");
    const cluster = await Cluster.start(workspace.config, runDirectory);
    try {
      expect(foldersOf(cluster.coordinator.pid)).toHaveLength(1);
      for (let i = 0; i < 2; i++) cluster.addWorker();
      await sharesMemory(cluster);
      await cluster.completed();
      expect(endOf(await ledgerOf(runDirectory)).parametersSha256).toBe(reference);
      expect(foldersOf(cluster.coordinator.pid)).toEqual([]);
    } finally {
      await cluster.close();
    }
  });

  it("of a worker stays when somebody else attaches under its name", async () => {
    const cluster = await Cluster.start(workspace.config, workspace.at("forged"));
    try {
      cluster.addWorker();
      await sharesMemory(cluster);
      const [folder = ""] = foldersOf(cluster.coordinator.pid);
      const workerId = (await cluster.status()).workers[0]?.workerId ?? "";
      const segment = `gradient-${workerId}-1`;
      expect(readdirSync(join(MEMORY, folder))).toContain(segment);
      const forged = cluster.client.train();
      forged.onMessage(() => undefined);
      forged.send({ kind: "attach", workerId, streamToken: "guessed", sharesMemory: true });
      const error = await new Promise((resolve) => {
        forged.onClosed(resolve);
      });
      expect(error).toMatchObject({ code: "unknownWorker" });
      expect(readdirSync(join(MEMORY, folder))).toContain(segment);
    } finally {
      await cluster.close();
    }
  });

  it("is not used where the config forbids it", async () => {
    const cluster = await Cluster.start(
      workspace.config,
      workspace.at("forbidden"),
      settingFlags(["cluster.sharedMemory=false"]),
    );
    try {
      expect(foldersOf(cluster.coordinator.pid)).toEqual([]);
    } finally {
      await cluster.close();
    }
  });

  it("may be taken away in the middle: the run goes on over streams, to the same result", async () => {
    const runDirectory = workspace.at("taken-away");
    const cluster = await Cluster.start(workspace.config, runDirectory);
    try {
      for (let i = 0; i < 2; i++) cluster.addWorker();
      await sharesMemory(cluster);
      const [folder] = foldersOf(cluster.coordinator.pid);
      if (folder === undefined) throw new Error("no folder");
      await rm(join(MEMORY, folder), { recursive: true });
      // Open files stay as they are for whoever has them; a worker that comes sees none.
      for (const worker of cluster.workers) worker.kill("SIGKILL");
      await waitFor("both to be gone", async () =>
        (await cluster.status()).workers.length === 0 ? true : undefined,
      );
      const stream = 'direction="received",carrier="stream"';
      const memory = 'direction="received",carrier="sharedMemory"';
      const before = { stream: await bytes(cluster, stream), memory: await bytes(cluster, memory) };
      cluster.addWorker();
      await waitFor("gradients over the stream", async () =>
        (await bytes(cluster, stream)) > before.stream ? true : undefined,
      );
      expect(await bytes(cluster, memory)).toBe(before.memory);
      await cluster.completed();
      expect(endOf(await ledgerOf(runDirectory)).parametersSha256).toBe(reference);
    } finally {
      await cluster.close();
    }
  });

  it("of a killed coordinator is freed by the next one", async () => {
    const killed = await Cluster.start(workspace.config, workspace.at("killed"));
    const { pid } = killed.coordinator;
    try {
      killed.addWorker();
      await sharesMemory(killed);
      expect(foldersOf(pid)).toHaveLength(1);
    } finally {
      await killed.close();
    }
    expect(foldersOf(pid)).toHaveLength(1);
    const next = await Cluster.start(workspace.config, workspace.at("next"));
    try {
      expect(foldersOf(pid)).toEqual([]);
      const log = await readFile(join(next.ready.runDirectory, "logs/coordinator.log"), "utf8");
      expect(log).not.toContain("no memory is shared");
    } finally {
      await next.close();
    }
  });
});
