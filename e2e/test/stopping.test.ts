/** A run ends when it is told to, whatever state its workers are in. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Cluster, settingFlags } from "./support/cluster.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await createWorkspace();
});

afterAll(async () => {
  await workspace.remove();
});

const BYTES_SENT = 'ostinato_coordinator_tensor_bytes_total{direction="sent",carrier="stream"}';

describe("a coordinator that is stopped", () => {
  it("ends, although a frozen worker has not read the half of its parameters", async () => {
    // 12.6 million parameters, 50 MB: more than the connection's buffers and windows hold.
    const settings = [
      ...["model.hiddenSize=1024", "optimizer.kind=sgd"],
      ...["cluster.deadlineSeconds=2", "cluster.sharedMemory=false"],
    ];
    const flags = settingFlags(settings);
    const cluster = await Cluster.start(workspace.config, workspace.at("frozen"), flags);
    try {
      const worker = cluster.addWorker();
      await waitFor(
        "a first frame",
        async () => (await cluster.metric(BYTES_SENT)) > 0 || undefined,
      );
      worker.kill("SIGSTOP");
      let before = -1;
      const stuckAt = await waitFor("the connection to be full", async () => {
        const sent = await cluster.metric(BYTES_SENT);
        const isFull = sent === before;
        before = sent;
        return isFull ? sent : undefined;
      });
      expect(stuckAt).toBeLessThan(50_000_000);
      cluster.coordinator.kill("SIGTERM");
      expect(await cluster.coordinator.finished()).toMatchObject({ code: 143, signal: null });
    } finally {
      await cluster.close();
    }
  });
});
