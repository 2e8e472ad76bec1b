/** Signals that end processes: once, twice, and at a bad moment. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, endOf, ledgerOf, trainToTheEnd } from "./support/cluster.js";
import { FaultyDisk } from "./support/disk.js";
import type { Program } from "./support/processes.js";
import { start, startChild } from "./support/processes.js";
import { expectVerified, resumeToTheEnd } from "./support/stories.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
/** Final parameters of an undisturbed run. */
let reference: string;

beforeAll(async () => {
  workspace = await createWorkspace();
  const runDirectory = await trainToTheEnd(workspace.config, workspace.at("undisturbed"), {
    workers: [{}],
  });
  reference = endOf(await ledgerOf(runDirectory)).parametersSha256;
});

afterAll(async () => {
  await workspace.remove();
});

async function completes(path: string): Promise<void> {
  expect(endOf(await ledgerOf(path)).parametersSha256).toBe(reference);
  await expectVerified(path);
}

/** The second signal again and again: one right after the first counts as the same, passed on by npm. */
async function insist(program: Program, signal: NodeJS.Signals): Promise<void> {
  await waitFor("the process to end", () => {
    program.kill(signal);
    return program.isRunning ? undefined : true;
  });
}

describe("a second signal at a coordinator", () => {
  it.each([
    ["SIGTERM", "SIGTERM", 143, "writes the files of its checkpoint", "fsync", "step-"],
    ["SIGTERM", "SIGINT", 130, "gives its checkpoint the name", "rename", "step-"],
    ["SIGINT", "SIGTERM", 143, "writes latest.json", "fsync", "latest"],
  ] as const)(
    "(%s, then %s) ends it with %i while it %s, and the run is whole",
    async (first, second, code, doing, call, file) => {
      const path = workspace.at(doing.replaceAll(" ", "-"));
      const rule = { calls: [call], path: `/checkpoints/\\.${file}`, hold: true };
      const disk = new FaultyDisk(`${path}-disk`, [rule]);
      const cluster = await Cluster.start(workspace.config, path, [], undefined, disk.options);
      try {
        cluster.addWorker();
        await cluster.passes(13);
        disk.fail();
        cluster.coordinator.kill(first);
        await disk.hit();
        await insist(cluster.coordinator, second);
        expect(await cluster.coordinator.finished()).toMatchObject({ code, signal: null });
      } finally {
        await cluster.close();
      }
      await expectVerified(path);
      await resumeToTheEnd(path);
      await completes(path);
    },
  );
});

describe("SIGTERM", () => {
  it("ends a coordinator that still waits for a former one, with nothing to make a checkpoint of", async () => {
    const path = workspace.at("waiting");
    const first = await Cluster.start(workspace.config, path);
    try {
      first.addWorker();
      await first.passes(3);
      first.coordinator.kill("SIGSTOP");
      const flags = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
      const second = startChild(["coordinator", ...flags, "--run-dir", path, "--resume"]);
      const { text } = await second.message<{ kind: "waiting"; text: string }>("waiting");
      expect(text).toContain("it is taken over if 10.0 s go by without a heartbeat");
      second.kill("SIGTERM");
      expect(await second.finished()).toMatchObject({ code: 143, stderr: "" });
      first.coordinator.kill("SIGCONT");
      await first.completed();
    } finally {
      await first.close();
    }
    await completes(path);
  });

  it("ends workers with 0 at any moment, one whose coordinator is gone too, and no sample is lost", async () => {
    const path = workspace.at("workers");
    const cluster = await Cluster.start(workspace.config, path);
    try {
      // Its log is on standard error.
      const staying = start(["worker", "--coordinator", cluster.ready.address]);
      cluster.workers.push(staying);
      const leaving = [cluster.addWorker(), cluster.addWorker()];
      await cluster.joined(3);
      for (const worker of leaving) {
        worker.kill("SIGTERM");
        expect(await worker.finished()).toMatchObject({ code: 0, signal: null });
      }
      expect(cluster.coordinator.isRunning).toBe(true);
      cluster.coordinator.kill("SIGKILL");
      await cluster.coordinator.finished();
      await waitFor("the worker to look for it", () =>
        staying.stderr.includes("joining again") ? true : undefined,
      );
      staying.kill("SIGTERM");
      expect(await staying.finished()).toMatchObject({ code: 0, signal: null });
    } finally {
      await cluster.close();
    }
    await resumeToTheEnd(path);
    await completes(path);
  });
});
