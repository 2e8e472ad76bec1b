/** A bad gradient never reaches the parameters: a real coordinator, and workers that do wrong. */

import { loadCheckpoint, openRunDirectory } from "@ostinato/run";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { Cluster, endOf, ledgerOf, settingFlags, stepsOf } from "./support/cluster.js";
import { FakeWorker } from "./support/fake-worker.js";
import type { FakeUpload } from "./support/fake-worker.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

const RECEIVED_BYTES =
  'ostinato_coordinator_tensor_bytes_total{direction="received",carrier="stream"}';

let workspace: Workspace;
let numRuns = 0;
let cluster: Cluster | undefined;
const workers: FakeWorker[] = [];

beforeAll(async () => {
  workspace = await createWorkspace();
});

afterEach(async () => {
  for (const worker of workers.splice(0)) worker.die();
  await cluster?.close();
  cluster = undefined;
});

afterAll(async () => {
  await workspace.remove();
});

async function startCoordinator(...settings: string[]): Promise<Cluster> {
  const flags = settingFlags(["training.maxSteps=3", ...settings]);
  cluster = await Cluster.start(workspace.config, workspace.at(`run-${numRuns++}`), flags);
  return cluster;
}

async function join(running: Cluster): Promise<FakeWorker> {
  const worker = await FakeWorker.join(running.ready.address);
  workers.push(worker);
  return worker;
}

/** The final parameters when every upload is right the first time. */
async function undisturbed(): Promise<string> {
  const running = await startCoordinator();
  const worker = await join(running);
  await Promise.all([worker.serve(), running.completed()]);
  const { parametersSha256 } = endOf(await ledgerOf(running.ready.runDirectory));
  await running.close();
  cluster = undefined;
  return parametersSha256;
}

function begin(fields: object): NonNullable<FakeUpload["change"]> {
  return (message) => (message.kind === "uploadBegin" ? { ...message, ...fields } : message);
}

const wrongUploads: readonly [reason: string, upload: FakeUpload][] = [
  ["foreignJob", { change: begin({ jobId: "another-job" }) }],
  ["staleIncarnation", { change: begin({ incarnation: 9 }) }],
  ["staleStep", { change: begin({ step: 2 }) }],
  ["staleLease", { change: begin({ fence: 77 }) }],
  [
    "checksum",
    {
      change: (message) => {
        if (message.kind !== "frame") return message;
        const payload = Uint8Array.from(message.frame.payload);
        payload[9] = (payload[9] ?? 0) ^ 16;
        return { kind: "frame", frame: { ...message.frame, payload } };
      },
    },
  ],
  [
    "shape",
    {
      change: (message) =>
        message.kind === "frame"
          ? { kind: "frame", frame: { ...message.frame, firstValue: 1 } }
          : message,
    },
  ],
  [
    "malformed",
    {
      change: (message) =>
        message.kind === "uploadEnd" ? { ...message, leaves: message.leaves.slice(1) } : message,
    },
  ],
  ["nonFinite", { gradient: NaN }],
];

describe("an upload that is wrong", () => {
  it.each(wrongUploads)(
    "is refused as %s, counted, and leaves no trace in the parameters",
    async (reason, upload) => {
      const expected = await undisturbed();
      const running = await startCoordinator();
      const worker = await join(running);
      worker.complete(await worker.nextLease(), upload);
      await waitFor("the rejection", () => worker.rejections[0]);
      expect(worker.rejections[0]).toBe(reason);
      const sample = `ostinato_coordinator_uploads_rejected_total{reason="${reason}"}`;
      expect(await running.metric(sample)).toBeGreaterThan(0);
      await Promise.all([worker.serve(), running.completed()]);
      const { parametersSha256 } = endOf(await ledgerOf(running.ready.runDirectory));
      expect(parametersSha256).toBe(expected);
    },
  );

  it("is as if it never was when its worker dies in the middle of it", async () => {
    const expected = await undisturbed();
    const running = await startCoordinator();
    const dying = await join(running);
    const lease = await dying.nextLease();
    const [first, second] = dying.uploadMessages(
      lease,
      lease.nodes[0] ?? { firstLeaf: 0, numLeaves: 1 },
      5,
    );
    if (first === undefined || second === undefined) throw new Error("nothing to upload");
    dying.send(first);
    dying.send(second);
    await waitFor("half an upload", async () =>
      (await running.metric(RECEIVED_BYTES)) > 0 ? true : undefined,
    );
    dying.die();
    const worker = await join(running);
    await Promise.all([worker.serve(), running.completed()]);
    const ledger = await ledgerOf(running.ready.runDirectory);
    expect(stepsOf(ledger)[0]?.lost.map(({ worker: id }) => id)).toEqual([dying.identity.workerId]);
    expect(endOf(ledger).parametersSha256).toBe(expected);
  });
});

describe("a lease in which nothing moves", () => {
  it("expires after the deadline; its late upload is refused, and status says what it waited for", async () => {
    // A third of it is what this process, on a busy machine, may take to answer a keepalive.
    const running = await startCoordinator("cluster.deadlineSeconds=4");
    const frozen = await join(running);
    const lease = await frozen.nextLease();
    const sentence = await waitFor("a sentence", async () => {
      const { waitingFor } = await running.status();
      return waitingFor.includes(frozen.identity.workerId) ? waitingFor : undefined;
    });
    expect(sentence).toMatch(/nothing moved for .* s, .*; they are leased again in/);
    await waitFor("the revocation", () => frozen.revoked[0]);
    const worker = await join(running);
    frozen.complete(lease);
    await waitFor("the rejection", () => frozen.rejections[0]);
    expect(["staleLease", "staleStep"]).toContain(frozen.rejections[0]);
    await Promise.all([frozen.serve(), worker.serve(), running.completed()]);
  });
});

describe("a result that is not finite on every worker", () => {
  it("stops the run, names the samples, and keeps the last good checkpoint", async () => {
    const running = await startCoordinator();
    const [first, second] = [await join(running), await join(running)];
    const served = Promise.all([first.serve({ gradient: NaN }), second.serve({ gradient: NaN })]);
    const { code, stderr } = await running.coordinator.finished();
    await served;
    expect(code).toBe(1);
    const line = stderr.trimEnd().split("\n").at(-1);
    expect(line).toMatch(/step 1: .*leaves? .*not finite.*training positions \d+–\d+/);
    expect(first.stopped?.failed).toBe(true);
    const { runDirectory } = running.ready;
    expect(stepsOf(await ledgerOf(runDirectory))).toEqual([]);
    const checkpoint = await loadCheckpoint(await openRunDirectory(runDirectory), 0);
    expect(checkpoint.parameters.every(Number.isFinite)).toBe(true);
  });

  it("skips the step with onNonFinite: skipStep, and the ledger says so", async () => {
    const running = await startCoordinator("training.onNonFinite=skipStep");
    const worker = await join(running);
    worker.complete(await worker.nextLease(), { gradient: NaN });
    // Alone, it is asked a second time; the same bits again are the run's own fault.
    await waitFor("the second try", () => worker.leases[1]);
    worker.complete(await worker.nextLease(), { gradient: NaN });
    await Promise.all([worker.serve(), running.completed()]);
    const steps = stepsOf(await ledgerOf(running.ready.runDirectory));
    expect(steps.map(({ skipped }) => skipped)).toEqual(["nonFinite", null, null]);
  });

  it("goes on when another worker's result is finite", async () => {
    const expected = await undisturbed();
    const running = await startCoordinator();
    const wrong = await join(running);
    const right = await join(running);
    wrong.complete(await wrong.nextLease(), { gradient: NaN });
    await Promise.all([wrong.serve(), right.serve(), running.completed()]);
    const ledger = await ledgerOf(running.ready.runDirectory);
    expect(stepsOf(ledger).map(({ skipped }) => skipped)).toEqual([null, null, null]);
    expect(endOf(ledger).parametersSha256).toBe(expected);
    const refused = stepsOf(ledger)[0]?.lost.map(({ worker }) => worker);
    expect(refused).toContain(wrong.identity.workerId);
  });
});
