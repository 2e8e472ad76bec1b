import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";

import { createTextLayout } from "@ostinato/data";
import { numericsProfile } from "@ostinato/kernels/tensor";
import { parameterLayout } from "@ostinato/lstm";
import { checkFrame, checksumOfFrames, readFrameInto, WireError } from "@ostinato/proto";
import { describe, expect, it } from "vitest";

import type { WorkerConnection } from "./support/fake-coordinator.js";
import { parameterMessages } from "./support/fake-coordinator.js";
import {
  cacheDirectory,
  isPhase,
  longLease,
  longRun,
  numParameters,
  run,
  startCoordinator,
  startWorker,
  trainLease,
} from "./support/worker-harness.js";
import type { WorkerProcess } from "./support/worker-process.js";

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

describe("a worker process", () => {
  it("joins, fetches its data, computes what it leases, evaluates, and ends with the run", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { http: "127.0.0.1:0" });
    const connection = await coordinator.connection();
    expect(await connection.message((m) => m.kind === "attach")).toEqual({
      kind: "attach",
      workerId: "worker-1",
      streamToken: "token-1",
      sharesMemory: false,
    });
    // Where there is no compiler the native kernels are not built.
    const hasNative = await numericsProfile("native").then(
      () => true,
      () => false,
    );
    const preferred = hasNative ? "native" : "wasm";
    expect(coordinator.joins[0]?.profiles.map(({ backend }) => backend)).toEqual([preferred]);

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
    expect(metrics).toContain(`ostinato_worker_samples_total ${layout.numSamplesAt(0)}`);
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

  it("says that it is not ready, and leaves at once when asked, while it loads its data", async () => {
    const gate: { open: () => void } = { open: () => undefined };
    const dataGate = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    const coordinator = await startCoordinator({ dataGate });
    const options = { backend: "cpu", http: "127.0.0.1:0" } as const;
    const first = startWorker(coordinator.address, options);
    const second = startWorker(coordinator.address, options);
    const readiness = async (worker: WorkerProcess): Promise<string> => {
      const response = await fetch(`${await worker.metricsAddress()}/readyz`);
      return `${response.status} ${(await response.text()).trim()}`;
    };
    for (const worker of [first, second]) {
      let answer: string;
      do {
        answer = await readiness(worker);
        expect(answer).toMatch(/^503 the worker is (joining|preparing)$/);
      } while (answer !== "503 the worker is preparing");
    }
    first.signal("SIGTERM");
    expect(await first.ended()).toBe(0);
    gate.open();
    await (await coordinator.connection()).message((message) => message.kind === "attach");
    while ((await readiness(second)) !== "200 ok");
    expect(coordinator.connections).toHaveLength(1);
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

  it("shows its metrics beyond loopback when it is told to", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { http: "0.0.0.0:0", insecure: true });
    const { port } = new URL(await worker.metricsAddress());
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });
});
