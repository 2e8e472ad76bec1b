/** Workers that share memory with the coordinator: real files, real sessions. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checksumOfFrames,
  createSegmentFolder,
  encodeFrames,
  gradientSegment,
  MAX_GRADIENT_SEGMENTS,
  parametersSegment,
  SegmentFiles,
  SegmentReader,
  writeSegmentFrame,
} from "@ostinato/proto";
import type { CoordinatorMessage, WorkerMessage } from "@ostinato/proto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SharedMemory } from "../src/segments/index.js";
import { ArithmeticOperations, Versions } from "../src/steps/index.js";
import type { VersionSummary } from "../src/steps/index.js";
import { NUM_PARAMETERS } from "./support/fake-worker.js";
import type { FakeWorker } from "./support/fake-worker.js";
import { NO_STATISTICS, PLAIN_UPDATE, Trial } from "./support/trial.js";

let base: string;
let memory: SharedMemory;
let trial: Trial;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "shared-memory-"));
  memory = new SharedMemory(createSegmentFolder(process, base));
  trial = new Trial();
  trial.memory = memory;
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

/** What a worker of this machine does with the frames of its gradients. */
function throughMemory(worker: FakeWorker): (message: WorkerMessage) => WorkerMessage {
  const files = new SegmentFiles(memory.folder);
  return (message) => {
    if (message.kind !== "frame" || message.frame.transferKind !== "gradient") return message;
    const name = gradientSegment(worker.id, 1);
    return { kind: "segmentFrame", frame: writeSegmentFrame(files, name, 1, message.frame) };
  };
}

const kindsOf = (messages: readonly CoordinatorMessage[]): readonly string[] =>
  messages.map(({ kind }) => kind);

describe("a worker that shares memory", () => {
  it("is told where the parameters are, and its gradients count as any others", async () => {
    const worker = trial.join();
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const lease = await worker.lease(0);
    expect(kindsOf(worker.stream.sent)).toEqual(["lease", "parameters", "segmentFrame"]);
    const [{ frame } = { frame: undefined }] = worker.sent("segmentFrame");
    if (frame === undefined) throw new Error("no frame");
    const reader = new SegmentReader(new SegmentFiles(memory.folder));
    const read = reader.read(parametersSegment(frame.segment), "parameters", frame);
    const [expected] = encodeFrames({
      transfer: frame.transfer,
      transferKind: "parameters",
      values: new Float32Array(NUM_PARAMETERS).fill(0),
    });
    expect(read).toEqual(expected);
    worker.complete(lease, { change: throughMemory(worker) });
    expect((await collected).kind).toBe("complete");
    expect((await round.tree.takeRoot())[0]).toBe(15);
    const { tensorBytes } = trial.metrics;
    const bytes = (await tensorBytes.get()).values.map(({ labels, value }) => [
      `${String(labels.direction)} ${String(labels.carrier)}`,
      value,
    ]);
    expect(Object.fromEntries(bytes)).toMatchObject({
      "sent sharedMemory": 4 * NUM_PARAMETERS,
      "received sharedMemory": 4 * NUM_PARAMETERS,
      "sent stream": 0,
    });
  });

  it("keeps the version that it may still read, until its lease ends", async () => {
    const worker = trial.join();
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const lease = await worker.lease(0);
    // The stream has drained, and nobody else holds it.
    await Promise.resolve();
    round.version.letGo();
    expect(trial.released).toEqual([]);
    worker.complete(lease, { change: throughMemory(worker) });
    await collected;
    await vi.waitFor(() => expect(trial.released).toEqual([0]));
  });

  it("lets a version go that it holds when it dies, and leaves no segment", async () => {
    const worker = trial.join();
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const lease = await worker.lease(0);
    const { firstLeaf } = lease.nodes[0] ?? { firstLeaf: 0 };
    new SegmentFiles(memory.folder).write(
      gradientSegment(worker.id, 1),
      0,
      Uint8Array.of(firstLeaf),
    );
    round.version.letGo();
    worker.stream.drop();
    await vi.waitFor(() => expect(trial.released).toEqual([0]));
    expect(readdirSync(memory.folder.path)).toEqual(["parameters-1"]);
    trial.abort.abort();
    await expect(collected).rejects.toMatchObject({ code: "stopped" });
  });

  it("has its stream ended when a segment can't be read, so that it comes back without", async () => {
    const [worker, other] = [trial.join(), trial.join()];
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    const lease = await worker.lease(0);
    const node = lease.nodes[0] ?? { firstLeaf: 0, numLeaves: 1 };
    const transfer = worker.begin(lease, node);
    const frame = { transfer, segment: 1, firstValue: 0, numValues: NUM_PARAMETERS, crc32: 1 };
    worker.say({ kind: "segmentFrame", frame });
    expect(worker.stream.ended?.error).toMatchObject({
      code: "sharedMemory",
      message: expect.stringMatching(/^segment gradient-.*-1 can't be read: ENOENT/) as string,
    });
    other.serve((given) =>
      given.fence === lease.fence ? undefined : { change: throughMemory(other) },
    );
    other.complete(await other.lease(0), { change: throughMemory(other) });
    expect((await collected).kind).toBe("complete");
    expect((await round.tree.takeRoot())[0]).toBe(15);
  });

  it.each([
    ["beyond its own", MAX_GRADIENT_SEGMENTS + 1, 3, /it may have 16/],
    ["larger than a frame", 1, 2 ** 30, /at most 1048576 go/],
  ])("may name no segment %s", async (_, segment, numValues, message) => {
    const worker = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    const lease = await worker.lease(0);
    const transfer = worker.begin(lease, lease.nodes[0] ?? { firstLeaf: 0, numLeaves: 1 });
    const frame = { transfer, segment, firstValue: 0, numValues, crc32: 1 };
    worker.say({ kind: "segmentFrame", frame });
    expect(worker.stream.ended?.error?.message).toMatch(message);
    trial.abort.abort();
    await expect(collected).rejects.toMatchObject({ code: "stopped" });
  });

  it("gets what was damaged in memory refused, as what was damaged on the wire", async () => {
    const worker = trial.join();
    const collected = trial.collect(trial.trainRound(1));
    const lease = await worker.lease(0);
    const write = throughMemory(worker);
    worker.upload(lease, lease.nodes[0] ?? { firstLeaf: 0, numLeaves: 4 }, {
      change: (message) => {
        const sent = write(message);
        if (sent.kind === "segmentFrame") {
          new SegmentFiles(memory.folder).write(gradientSegment(worker.id, 1), 0, Uint8Array.of(9));
        }
        return sent;
      },
    });
    await vi.waitFor(() =>
      expect(worker.sent("uploadRejected").map(({ reason }) => reason)).toEqual(["checksum"]),
    );
    trial.abort.abort();
    await expect(collected).rejects.toMatchObject({ code: "stopped" });
  });
});

describe("a worker that shares none", () => {
  it("gets its parameters over the stream, whoever else shares memory", async () => {
    trial.join();
    trial.memory = undefined;
    const worker = trial.join();
    trial.memory = memory;
    const collected = trial.collect(trial.trainRound(1));
    const lease = await worker.lease(0);
    expect(kindsOf(worker.stream.sent)).toEqual(["lease", "parameters", "frame"]);
    const transfer = worker.begin(lease, lease.nodes[0] ?? { firstLeaf: 0, numLeaves: 1 });
    const frame = { transfer, segment: 1, firstValue: 0, numValues: 3, crc32: 1 };
    worker.say({ kind: "segmentFrame", frame });
    expect(worker.stream.ended?.error?.message).toBe("the worker said that it shares no memory");
    trial.abort.abort();
    await expect(collected).rejects.toMatchObject({ code: "stopped" });
  });
});

describe("versions in shared memory", () => {
  const operations = (): ArithmeticOperations =>
    new ArithmeticOperations({
      ...{ update: PLAIN_UPDATE, statistics: NO_STATISTICS, state: undefined },
      segmentFolder: memory.folder,
    });
  const values = { parameters: Float32Array.of(1, 2, 3), statistics: new Float64Array(0) };

  it("are written only while somebody reads them, each buffer to a segment of its own", () => {
    const [one, other] = [new Float32Array(3), new Float32Array(3)];
    expect(memory.segmentOf(one)).toBe(0);
    const sharer = memory.join("worker-1-1");
    expect([one, other, one].map((buffer) => memory.segmentOf(buffer))).toEqual([1, 2, 1]);
    sharer.leave();
    sharer.leave();
    expect(memory.segmentOf(other)).toBe(0);
    operations().run({ kind: "summarize", version: values, segment: 0 });
    expect(readdirSync(memory.folder.path)).toEqual([]);
    memory.dispose();
    expect(existsSync(memory.folder.path)).toBe(false);
  });

  it("go over the streams once memory can't be written, which is told once", () => {
    const arithmetic = operations();
    rmSync(memory.folder.path, { recursive: true });
    const summarize = (): VersionSummary =>
      arithmetic.run({ kind: "summarize", version: values, segment: 1 }) as VersionSummary;
    const summaries = [summarize(), summarize()];
    expect(summaries.map(({ segment }) => segment)).toEqual([0, 0]);
    const told: string[] = [];
    const versions = new Versions(0, {
      parameters: trial.gradients,
      arithmetic: undefined as never,
      onSegmentProblem: (problem) => told.push(problem),
    });
    for (const summary of summaries) {
      const messages = [...versions.take(0, values, summary).messages(1, true)];
      expect(kindsOf(messages)).toEqual(["parameters", "frame"]);
    }
    expect(told).toEqual([expect.stringMatching(/^segment parameters-1 can't be written: ENOENT/)]);
  });

  it("have the digest that they have over the stream", () => {
    const [shared, plain] = [1, 0].map(
      (segment) =>
        operations().run({ kind: "summarize", version: values, segment }) as VersionSummary,
    );
    expect(shared).toEqual({ ...plain, segment: 1 });
    expect(checksumOfFrames((shared?.frames ?? []).map(({ crc32 }) => crc32))).toBeGreaterThan(0);
  });
});
