import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createTextLayout } from "@ostinato/data";
import { parameterLayout } from "@ostinato/lstm";
import type { Lease, WorkerMessage } from "@ostinato/proto";
import { checkFrame, checksumOfFrames, readFrameInto, WireError } from "@ostinato/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { WorkerConnection } from "./support/fake-coordinator.js";
import { FakeCoordinator, parameterMessages } from "./support/fake-coordinator.js";
import { smallRun } from "./support/small-run.js";
import { WorkerProcess } from "./support/worker-process.js";

const run = smallRun();
const longRun = smallRun({ numRepeats: 4000 });
const numParameters = parameterLayout(run.spec).size;

let cacheDirectory: string;
const workers: WorkerProcess[] = [];
const coordinators: FakeCoordinator[] = [];

beforeEach(async () => {
  cacheDirectory = await mkdtemp(join(tmpdir(), "worker-process-"));
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
  for (const coordinator of coordinators.splice(0)) coordinator.close();
  await rm(cacheDirectory, { recursive: true });
});

async function startCoordinator(
  options: Partial<Parameters<typeof FakeCoordinator.start>[0]> = {},
): Promise<FakeCoordinator> {
  const coordinator = await FakeCoordinator.start({ run, ...options });
  coordinators.push(coordinator);
  return coordinator;
}

function startWorker(
  coordinator: string,
  options: Partial<ConstructorParameters<typeof WorkerProcess>[0]> = {},
): WorkerProcess {
  const worker = new WorkerProcess({ coordinator, cacheDirectory, ...options });
  workers.push(worker);
  return worker;
}

function trainLease(overrides: Partial<Lease> = {}): Lease {
  return {
    fence: 1,
    leaseKind: "train",
    step: 1,
    version: 0,
    epoch: 0,
    epochStep: 0,
    nodes: [
      { firstLeaf: 0, numLeaves: 2 },
      { firstLeaf: 2, numLeaves: 1 },
      { firstLeaf: 3, numLeaves: 1 },
    ],
    leaves: [0, 1, 2, 3].map((leaf) => ({ leaf, state: "zero" }) as const),
    split: "",
    transfer: 0,
    lossWeightTotals: [35],
    ...overrides,
  };
}

/** An evaluation of the whole training part: long beside everything else here. */
function longLease(fence: number): Lease {
  return trainLease({ fence, leaseKind: "evaluate", split: "train", nodes: [] });
}

/** What one node's transfer amounts to, every check of the wire applied. */
function uploadOf(connection: WorkerConnection, firstLeaf: number) {
  const begin = connection.received.find(
    (message) => message.kind === "uploadBegin" && message.node.firstLeaf === firstLeaf,
  );
  if (begin?.kind !== "uploadBegin") return expect.unreachable();
  const frames = connection.received.flatMap((message) =>
    message.kind === "frame" && message.frame.transfer === begin.transfer ? [message.frame] : [],
  );
  const end = connection.received.find(
    (message) => message.kind === "uploadEnd" && message.transfer === begin.transfer,
  );
  if (end?.kind !== "uploadEnd") return expect.unreachable();
  for (const frame of frames) checkFrame(frame);
  expect(end.numFrames).toBe(frames.length);
  expect(end.checksum).toBe(checksumOfFrames(frames.map((frame) => frame.crc32)));
  const gradient = new Float32Array(numParameters).fill(Number.NaN);
  const stateValues = new Map<number, number>();
  for (const frame of frames) {
    if (frame.transferKind === "gradient") readFrameInto(frame, gradient);
    else {
      const numValues = frame.payload.byteLength / Float32Array.BYTES_PER_ELEMENT;
      stateValues.set(frame.leaf, (stateValues.get(frame.leaf) ?? 0) + numValues);
    }
  }
  return { begin, gradient, stateValues, leaves: end.leaves };
}

const isPhase =
  (phase: string) =>
  (message: WorkerMessage): boolean =>
    message.kind === "progress" && message.phase === phase;

describe("a worker process", () => {
  it("joins, fetches its data, computes what it leases, evaluates, and ends with the run", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { http: "127.0.0.1:0" });
    const connection = await coordinator.connection();
    expect(await connection.message((m) => m.kind === "attach")).toEqual({
      kind: "attach",
      workerId: "worker-1",
      streamToken: "token-1",
    });
    expect(coordinator.joins[0]?.profiles.map(({ backend }) => backend)).toEqual(["wasm", "cpu"]);

    // With all parameters zero every symbol is equally likely, whatever the network is.
    connection.send(...parameterMessages(0, new Float32Array(numParameters)));
    connection.send({ kind: "lease", lease: trainLease({ fence: 7 }) });
    expect(await connection.leaseEnded(7)).toMatchObject({ error: "" });

    const { dataset, settings } = run;
    const numSymbols = dataset.vocabulary.size;
    const train = dataset.splits.train;
    const layout = createTextLayout({ numTokens: train.length, ...settings });
    const batch = layout.batch(train, 0, [0, 1, 2, 3]);
    const bias = parameterLayout(run.spec).tensors.find(({ name }) => name === "head.bias")!;
    for (const { firstLeaf, numLeaves } of trainLease().nodes) {
      const { begin, gradient, stateValues, leaves } = uploadOf(connection, firstLeaf);
      expect(begin).toMatchObject({ jobId: "job-1", incarnation: 4, step: 1, fence: 7 });
      const nodeLeaves = Array.from({ length: numLeaves }, (_, index) => firstLeaf + index);
      expect(leaves.map(({ leaf }) => leaf)).toEqual(nodeLeaves);
      let numSamples = 0;
      for (const leaf of leaves) {
        const expected = layout.expectedLeaf(train, 0, leaf.leaf);
        expect(leaf.numSamples).toBe(expected.numSamples);
        expect(Buffer.compare(leaf.sampleDigest, expected.digest)).toBe(0);
        // Each loss is ln V nats.
        expect(leaf.lossSum).toBeCloseTo(expected.numSamples * Math.log(numSymbols), 3);
        numSamples += expected.numSamples;
        // Two layers, h and c, 8 units, as many rows as the leaf has.
        expect(stateValues.get(leaf.leaf)).toBe(2 * 2 * 8 * layout.rowsOf(leaf.leaf).numRows);
      }
      // d(sum of losses)/d(bias of v) = n/V − (number of targets v); all else is zero, as h is.
      const expectedBias = new Array<number>(numSymbols).fill(numSamples / numSymbols);
      for (const { leaf, firstRow, numRows } of batch.leaves) {
        if (!nodeLeaves.includes(leaf)) continue;
        for (let time = 0; time < batch.numSteps; time++) {
          for (let row = firstRow; row < firstRow + numRows; row++) {
            const entry = time * batch.numRows + row;
            expectedBias[batch.targets[entry]!]! -= batch.weights[entry]!;
          }
        }
      }
      for (const [symbol, expected] of expectedBias.entries()) {
        expect(gradient[bias.offset + symbol]).toBeCloseTo(expected, 4);
      }
      gradient.fill(0, bias.offset, bias.offset + bias.size);
      expect(gradient.every((value) => value === 0)).toBe(true);
    }

    connection.send({
      kind: "lease",
      lease: trainLease({ fence: 8, leaseKind: "evaluate", split: "validation", nodes: [] }),
    });
    const result = await connection.message((m) => m.kind === "evaluationResult");
    expect(result).toMatchObject({ jobId: "job-1", incarnation: 4, step: 1, fence: 8 });
    const validation = dataset.splits.validation;
    const evaluation = createTextLayout({
      numTokens: validation.length,
      batchSize: settings.evaluationBatchSize,
      sequenceLength: settings.sequenceLength,
      microShards: settings.microShards,
      allowShort: true,
    });
    for (const leaf of result.leaves) {
      const hash = createHash("sha256");
      let numSamples = 0;
      for (let segment = 0; segment < evaluation.stepsPerEpoch; segment++) {
        const expected = evaluation.expectedLeaf(validation, segment, leaf.leaf);
        hash.update(expected.digest);
        numSamples += expected.numSamples;
      }
      expect(leaf.numSamples).toBe(numSamples);
      expect(leaf.lossWeight).toBe(numSamples);
      expect(leaf.lossSum).toBeCloseTo(numSamples * Math.log(numSymbols), 3);
      expect(Buffer.compare(leaf.sampleDigest, hash.digest())).toBe(0);
    }

    const address = await worker.metricsAddress();
    const metrics = await (await fetch(`${address}/metrics`)).text();
    expect(metrics).toContain('ostinato_worker_leases_total{kind="train",outcome="done"} 1');
    expect(metrics).toContain(`ostinato_worker_tokens_total ${layout.numSamplesAt(0)}`);
    expect(metrics).toMatch(/^ostinato_worker_tensors \d+$/m);

    connection.send({ kind: "stop", failed: false, reason: "completed" });
    expect(await worker.ended()).toBe(0);
    expect(coordinator.numFetches).toBe(1);

    // The next worker on this machine finds the data on the disk.
    expect(await readdir(cacheDirectory)).toEqual([`${dataset.digest}.bin`]);
    const next = startWorker(coordinator.address, { backend: "cpu" });
    const nextConnection = await coordinator.connection(1);
    // Told which backend to use, it offers no other.
    expect(coordinator.joins[1]?.profiles.map(({ backend }) => backend)).toEqual(["cpu"]);
    nextConnection.send({ kind: "stop", failed: true, reason: "loss is not finite" });
    expect(await next.ended()).toBe(1);
    expect(next.output).toContain("the run failed: loss is not finite");
    expect(coordinator.numFetches).toBe(1);
  });

  it("answers health checks, revocation and SIGTERM at once while it computes", async () => {
    const coordinator = await startCoordinator({ run: longRun });
    const worker = startWorker(coordinator.address, { http: "127.0.0.1:0" });
    const connection = await coordinator.connection();
    const values = new Float32Array(parameterLayout(longRun.spec).size);
    connection.send(...parameterMessages(0, values), { kind: "lease", lease: longLease(1) });
    await connection.message(isPhase("evaluate"));
    const address = await worker.metricsAddress();
    const numReports = (): number => connection.received.filter(isPhase("evaluate")).length;
    const numReportsBefore = numReports();
    // Until the computation has visibly gone on beneath the answers.
    let numAnswers = 0;
    while (numAnswers < 5 || numReports() < numReportsBefore + 2) {
      expect((await fetch(`${address}/healthz`)).status).toBe(200);
      expect((await fetch(`${address}/readyz`)).status).toBe(200);
      numAnswers += 1;
    }
    expect(connection.received.some(({ kind }) => kind === "leaseEnded")).toBe(false);
    connection.send({ kind: "revoke", fence: 1, reason: "expired" });
    expect(await connection.leaseEnded(1)).toMatchObject({ error: "" });
    expect(connection.received.some(({ kind }) => kind === "evaluationResult")).toBe(false);

    connection.send({ kind: "lease", lease: longLease(2) });
    await connection.message((m) => isPhase("evaluate")(m) && "fence" in m && m.fence === 2);
    worker.signal("SIGTERM");
    await connection.message((message) => message.kind === "returnLeases");
    connection.stream.end();
    expect(await worker.ended()).toBe(0);
    expect(connection.received.at(-1)?.kind).toBe("returnLeases");
  });

  it("ends at once with 143 at a second SIGTERM", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    const connection = await coordinator.connection();
    await connection.message((message) => message.kind === "attach");
    worker.signal("SIGTERM");
    // The coordinator does not end its side: the worker waits for it.
    await connection.message((message) => message.kind === "returnLeases");
    worker.signal("SIGTERM");
    expect(await worker.ended()).toBe(143);
  });

  it("ends when the parent that started it is gone", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    const connection = await coordinator.connection();
    await connection.message((message) => message.kind === "attach");
    worker.disconnect();
    expect(await worker.ended()).not.toBe(0);
    await connection.closed();
  });

  it("joins again when the connection breaks, with a new identity", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    const first = await coordinator.connection();
    await first.message((message) => message.kind === "attach");
    first.stream.end(new WireError("internal", "broken on purpose"));
    const second = await coordinator.connection(1);
    expect(await second.message((message) => message.kind === "attach")).toMatchObject({
      workerId: "worker-2",
      streamToken: "token-2",
    });
    second.send({ kind: "stop", failed: false, reason: "completed" });
    expect(await worker.ended()).toBe(0);
    expect(coordinator.numFetches).toBe(1);
  });

  it("says in one line that no coordinator answers, and ends with 1", async () => {
    const address = `127.0.0.1:${await unusedPort()}`;
    const worker = startWorker(address, { backend: "cpu", deadlineSeconds: 1 });
    expect(await worker.ended()).toBe(1);
    const lines = worker.output.split("\n").filter((line) => line.includes("no coordinator at"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`no coordinator at ${address}: tried for 1(\\.\\d)? s`));
  });

  it("says in one line why it was refused, and ends with 1", async () => {
    const refusal = new WireError("profileRefused", "the run computes with wasm 9.9");
    const coordinator = await startCoordinator({ refusal });
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    expect(await worker.ended()).toBe(1);
    expect(worker.output).toContain(
      `refused by ${coordinator.address}: the run computes with wasm 9.9`,
    );
  });

  it("ends with 2 for an address that is none", async () => {
    const worker = startWorker("nowhere");
    expect(await worker.ended()).toBe(2);
    expect(worker.output).toContain("nowhere");
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
