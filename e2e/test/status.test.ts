/** `ostinato status` on real processes: what they are at, and what a step that stands still waits for. */

import { join } from "node:path";

import { readEndpoints } from "@ostinato/run";
import { deriveTimeouts, describeTimeouts } from "@ostinato/runtime/timeouts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { Cluster, endOf, ledgerOf, settingFlags } from "./support/cluster.js";
import { run, start, startChild } from "./support/processes.js";
import { expectVerified } from "./support/stories.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

/** Of createWorkspace's config. */
const DEADLINE_MS = 10_000;

/** Preloaded into a real process, it throws where nobody catches when it gets SIGUSR2. */
const THROWING = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    "process.on('SIGUSR2', () => setImmediate(() => { throw new Error('thrown\\nby the test'); }));",
  )}`,
};

let workspace: Workspace;
let cluster: Cluster | undefined;

beforeAll(async () => {
  workspace = await createWorkspace();
});
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});
afterAll(() => workspace.remove());

async function started(name: string, settings: readonly string[] = []): Promise<Cluster> {
  cluster = await Cluster.start(workspace.config, workspace.at(name), settingFlags(settings));
  return cluster;
}

async function logOf(runDirectory: string): Promise<readonly { level: string; msg: string }[]> {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(join(runDirectory, "logs/coordinator.log"), "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { level: string; msg: string });
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ");

describe("ostinato status", () => {
  it("says what a run waits for from its beginning to its end, by address and by run directory", async () => {
    const running = await started("whole", ["training.maxSteps=30"]);
    const directory = running.ready.runDirectory;
    const alone = await run(["status", running.ready.address]);
    expect([alone.code, alone.stderr]).toEqual([0, ""]);
    expect(oneLine(alone.stdout)).toMatch(
      /no workers Step 1 waits for a worker: none has been here for [\d.]+ s; it begins as soon as one joins\. $/,
    );
    running.addWorker();
    await running.joined(1);
    const working = await run(["status", directory, "--json"]);
    expect(JSON.parse(working.stdout)).toMatchObject({
      event: "status",
      kind: "reply",
      runDirectory: directory,
      workers: [{ state: "active" }],
    });
    await running.completed();
    const ended = await run(["status", directory]);
    expect(ended.stdout).toBe(`${directory}: the run is complete at step 30\n`);
    expect(ended.code).toBe(0);
    expect(await readEndpoints(directory)).toBeUndefined();
  });

  it("and the log say what a frozen worker holds up, within half the deadline, and that it moves again", async () => {
    // Long enough for a command to be started while it stands still.
    const deadlineMs = 30_000;
    const running = await started("frozen", [`cluster.deadlineSeconds=${deadlineMs / 1000}`]);
    const [frozen] = [running.addWorker(), running.addWorker()];
    await running.joined(2);
    const workerId = await running.freeze(frozen);
    const sentence = await waitFor("the sentence", async () => {
      const { waitingFor, stalled } = await running.status();
      return stalled && waitingFor.includes("nor was anything heard") ? waitingFor : undefined;
    });
    expect(sentence).toMatch(
      new RegExp(
        `^(step \\d+|the evaluation at step \\d+) waits on ${workerId} \\(.*\\), lea(f|ves) [\\d–, ]+, phase ` +
          "[a-z ()]+: nothing moved for [\\d.]+ s, nor was anything heard of its process for [\\d.]+ s " +
          "\\(frozen, its event loop blocked, or cut off\\); (it is|they are) leased again in (at most )?[\\d.]+ s",
      ),
    );
    const shown = await run(["status", running.ready.runDirectory]);
    expect(oneLine(shown.stdout)).toContain(`waits on ${workerId}`);
    const subject = /^(.*?) waits/.exec(sentence)?.[1] ?? "";
    const told = await waitFor("the log's sentence", async () =>
      (await logOf(running.ready.runDirectory)).find(
        ({ level, msg }) => level === "warn" && msg.startsWith(`${subject} waits on ${workerId}`),
      ),
    );
    const toldAfter = Number(/nothing moved for ([\d.]+) s/.exec(told.msg)?.[1]);
    const { stallToldMs, watchMs } = deriveTimeouts(deadlineMs);
    expect(toldAfter).toBeGreaterThanOrEqual(stallToldMs / 1000);
    // How much later it is told is the table's: at the next look, which is before half the deadline.
    expect(stallToldMs + watchMs).toBeLessThan(deadlineMs / 2);
    frozen.kill("SIGKILL");
    await waitFor("the end of the stall", async () =>
      (await logOf(running.ready.runDirectory)).find(
        ({ level, msg }) => level === "info" && msg.startsWith(`${subject} moves again after `),
      ),
    );
    await running.completed();
    await expectVerified(running.ready.runDirectory);
  });

  it("tells a coordinator that is frozen from one that was killed, and from none", async () => {
    const running = await started("gone");
    const directory = running.ready.runDirectory;
    running.coordinator.kill("SIGSTOP");
    const silent = await run(["status", directory]);
    expect(silent.code).toBe(1);
    expect(oneLine(silent.stdout)).toContain(`process id ${running.coordinator.pid} on `);
    expect(oneLine(silent.stdout)).toContain("it is frozen, or its event loop is blocked");
    running.coordinator.kill("SIGKILL");
    await running.coordinator.finished();
    const killed = await run(["status", directory]);
    expect(killed.code).toBe(1);
    expect(oneLine(killed.stdout)).toMatch(
      /is gone without having ended; .*; --resume --run-dir .* goes on from there/,
    );
    const none = await run(["status"], { cwd: workspace.folder });
    expect(none.code).toBe(2);
    expect(none.stderr).toBe(
      "ostinato: no coordinator works on a run in runs/; name a run directory or an address, HOST:PORT\n",
    );
  });

  it("lists every time-out with its value in this run", async () => {
    const running = await started("timeouts");
    const { stdout, code } = await run([
      ...["status", running.ready.address, "--timeouts", "--json"],
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      event: "timeouts",
      deadlineMs: DEADLINE_MS,
      timeouts: describeTimeouts(DEADLINE_MS),
    });
  });

  it("--watch goes on until the run is over", async () => {
    const running = await started("watched", ["training.maxSteps=10"]);
    const watching = start(["status", running.ready.runDirectory, "--watch", "--json"]);
    await waitFor("a first picture", () => watching.stdout.includes("\n") || undefined);
    running.addWorker();
    await running.completed();
    const { code, stdout } = await watching.finished();
    expect(code).toBe(0);
    const pictures = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string });
    expect(pictures[0]).toMatchObject({ kind: "reply" });
    expect(pictures.at(-1)).toMatchObject({ kind: "completed" });
  });
});

describe("an error that nobody caught", () => {
  it("in a coordinator ends its run in one line, tells the workers, and leaves a run to go on with", async () => {
    const directory = workspace.at("coordinator-threw");
    const args = ["coordinator", workspace.config, "--listen", "127.0.0.1:0"];
    const coordinator = startChild([...args, "--http", "127.0.0.1:0", "--run-dir", directory], {
      env: THROWING,
    });
    const { address } = await coordinator.message<{ kind: "ready"; address: string }>("ready");
    const worker = startChild(["worker", "--coordinator", address]);
    try {
      await waitFor("some steps", async () => {
        const { records } = await ledgerOf(directory);
        return records.some((record) => record.type === "step" && record.step >= 12) || undefined;
      });
      coordinator.kill("SIGUSR2");
      const line = "unexpected: thrown by the test; the newest checkpoint is kept";
      expect(await coordinator.finished()).toMatchObject({
        code: 1,
        stderr: `ostinato: ${line}\n`,
      });
      const told = await worker.finished();
      expect(told.code).toBe(1);
      expect(told.stderr).toContain(`the run failed: ${line}`);
      const stack = (await logOf(directory)).find(({ msg }) =>
        msg.startsWith("unexpected: thrown"),
      );
      expect(JSON.stringify(stack)).toContain("stack");
    } finally {
      for (const program of [coordinator, worker]) program.kill("SIGKILL");
    }
    const resumed = await Cluster.start(workspace.config, directory, ["--resume"]);
    cluster = resumed;
    resumed.addWorker();
    await resumed.completed();
    expect(endOf(await ledgerOf(directory)).outcome).toBe("completed");
    await expectVerified(directory);
  });

  it("in a worker gives its leases back before it ends with 1", async () => {
    const running = await started("worker-threw");
    const [throwing] = [running.addWorker({ env: THROWING }), running.addWorker()];
    await running.joined(2);
    const { workerId } = (await running.statusOf(throwing)) ?? {};
    throwing.kill("SIGUSR2");
    const { code, stderr } = await throwing.finished();
    expect([code, stderr]).toEqual([1, "ostinato worker: unexpected: thrown\n"]);
    const log = await waitFor("its leave", async () => {
      const lines = await logOf(running.ready.runDirectory);
      return lines.some(({ msg }) => msg === `${workerId} leaves: unexpected: thrown`) || undefined;
    });
    expect(log).toBe(true);
    await running.completed();
    await expectVerified(running.ready.runDirectory);
  });
});
