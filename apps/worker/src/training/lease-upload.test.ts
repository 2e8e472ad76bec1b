import type { TensorFrame, WorkerMessage } from "@ostinato/proto";
import { bytesOfFrame, checksumOfFrames, MAX_FRAME_BYTES, readFrameInto } from "@ostinato/proto";
import { describe, expect, it, vi } from "vitest";

import type { TrainedLeaf } from "./compute.js";
import type { GradientMemory } from "./lease-upload.js";
import { LeaseUpload } from "./lease-upload.js";

const options = {
  jobId: "job",
  incarnation: 2,
  step: 5,
  fence: 77,
  nodes: [
    { firstLeaf: 2, numLeaves: 2 },
    { firstLeaf: 4, numLeaves: 1 },
  ],
};

function trainedLeaf(leaf: number, stateLength = 2, numMoments = 0): TrainedLeaf {
  const sampleDigest = new Uint8Array(32).fill(leaf);
  return {
    result: { leaf, lossSum: leaf / 2, lossWeight: 10, numSamples: 10, sampleDigest },
    state: new Float32Array(stateLength).fill(leaf),
    moments: new Float64Array(numMoments).fill(leaf),
  };
}

function started(
  modules: { drained?: () => Promise<void>; signal?: AbortSignal; memory?: GradientMemory } = {},
): {
  upload: LeaseUpload;
  sent: WorkerMessage[];
  recycled: Float32Array[];
} {
  const sent: WorkerMessage[] = [];
  const recycled: Float32Array[] = [];
  let transfer = 10;
  const upload = new LeaseUpload(options, {
    nextTransfer: () => ++transfer,
    signal: modules.signal ?? new AbortController().signal,
    memory: modules.memory,
    recycle: (values) => recycled.push(values),
    sink: {
      send: (message) => sent.push(message),
      drained: modules.drained ?? (() => Promise.resolve()),
    },
  });
  return { upload, sent, recycled };
}

const summary = (message: WorkerMessage): string => {
  switch (message.kind) {
    case "uploadBegin":
      return `begin ${message.transfer} ${message.node.firstLeaf}+${message.node.numLeaves}`;
    case "frame":
      return `${message.frame.transferKind} ${message.frame.transfer} leaf ${message.frame.leaf} at ${message.frame.firstValue}`;
    case "uploadEnd":
      return `end ${message.transfer}`;
    default:
      return message.kind;
  }
};

const framesOf = (sent: readonly WorkerMessage[], transfer: number): TensorFrame[] =>
  sent.flatMap((m) => (m.kind === "frame" && m.frame.transfer === transfer ? [m.frame] : []));

describe("LeaseUpload", () => {
  it("sends slices as they come, then the states of the leaves and the end of each node", async () => {
    const { upload, sent } = started();
    upload.gradient({ node: 0, firstValue: 8, values: Float32Array.of(1, 2), rowValues: 0 });
    upload.gradient({ node: 1, firstValue: 8, values: Float32Array.of(3, 4), rowValues: 0 });
    upload.gradient({ node: 0, firstValue: 0, values: Float32Array.of(5), rowValues: 0 });
    upload.gradient({ node: 1, firstValue: 0, values: Float32Array.of(6), rowValues: 0 });
    await upload.finish([trainedLeaf(2), trainedLeaf(3), trainedLeaf(4)]);
    expect(sent.map(summary)).toEqual([
      "begin 11 2+2",
      "gradient 11 leaf 0 at 8",
      "begin 12 4+1",
      "gradient 12 leaf 0 at 8",
      "gradient 11 leaf 0 at 0",
      "gradient 12 leaf 0 at 0",
      "carriedState 11 leaf 2 at 0",
      "carriedState 11 leaf 3 at 0",
      "end 11",
      "carriedState 12 leaf 4 at 0",
      "end 12",
    ]);
    expect(sent[0]).toEqual({
      kind: "uploadBegin",
      transfer: 11,
      jobId: "job",
      incarnation: 2,
      step: 5,
      fence: 77,
      node: { firstLeaf: 2, numLeaves: 2 },
    });
  });

  it("sends the moments of each leaf after its state, and sums them up", async () => {
    const { upload, sent } = started();
    await upload.finish([trainedLeaf(2, 1, 3), trainedLeaf(3, 1, 3), trainedLeaf(4, 0, 3)]);
    expect(sent.map(summary)).toEqual([
      ...["begin 11 2+2", "carriedState 11 leaf 2 at 0", "moments 11 leaf 2 at 0"],
      ...["carriedState 11 leaf 3 at 0", "moments 11 leaf 3 at 0", "end 11"],
      ...["begin 12 4+1", "moments 12 leaf 4 at 0", "end 12"],
    ]);
    const frames = framesOf(sent, 12);
    const received = new Float64Array(3);
    readFrameInto(frames[0]!, received);
    expect([...received]).toEqual([4, 4, 4]);
    expect(sent.at(-1)).toMatchObject({
      ...{ numFrames: 1, checksum: checksumOfFrames(frames.map(({ crc32 }) => crc32)) },
    });
  });

  it("ends a node with the results of its leaves and the checksum of its frames as sent", async () => {
    const { upload, sent } = started();
    upload.gradient({ node: 1, firstValue: 0, values: Float32Array.of(1, 2, 3), rowValues: 0 });
    upload.gradient({ node: 0, firstValue: 0, values: Float32Array.of(9, 8, 7), rowValues: 0 });
    const leaves = [trainedLeaf(2), trainedLeaf(3), trainedLeaf(4)];
    await upload.finish(leaves);
    const ends = sent.filter((message) => message.kind === "uploadEnd");
    for (const [index, ownLeaves] of [
      [0, leaves.slice(0, 2)] as const,
      [1, leaves.slice(2)] as const,
    ]) {
      const frames = framesOf(sent, 11 + index);
      expect(ends[index]).toEqual({
        kind: "uploadEnd",
        transfer: 11 + index,
        leaves: ownLeaves.map(({ result }) => result),
        numFrames: frames.length,
        checksum: checksumOfFrames(frames.map((frame) => frame.crc32)),
      });
    }
  });

  it("cuts a tensor into frames that together are the tensor", async () => {
    const { upload, sent } = started();
    const length = (2.5 * MAX_FRAME_BYTES) / Float32Array.BYTES_PER_ELEMENT;
    const values = Float32Array.from({ length }, (_, index) => index);
    upload.gradient({ node: 0, firstValue: 5, values, rowValues: 0 });
    await upload.finish([trainedLeaf(2, 0), trainedLeaf(3, 0), trainedLeaf(4, 0)]);
    const frames = framesOf(sent, 11);
    expect(frames).toHaveLength(3);
    const received = new Float32Array(5 + length);
    for (const frame of frames) readFrameInto(frame, received);
    // Not toEqual: it takes seconds for so many numbers.
    expect(received.subarray(5).every((value, index) => value === values[index])).toBe(true);
  });

  it("sends of a table the rows that are not zeros, and all of it is there", async () => {
    const { upload, sent } = started();
    const values = new Float32Array(3 * 1000);
    values.set([0.1, 0.2, 0.3], 3 * 7);
    upload.gradient({ node: 0, firstValue: 5, values, rowValues: 3 });
    upload.gradient({ node: 1, firstValue: 5, values: new Float32Array(3000), rowValues: 3 });
    await upload.finish([trainedLeaf(2, 0), trainedLeaf(3, 0), trainedLeaf(4, 0)]);
    // Three values, or none, and a bit for each of 1000 rows.
    const bytes = [11, 12].map((transfer) => framesOf(sent, transfer).map(bytesOfFrame));
    expect(bytes).toEqual([[12 + 125], [125]]);
    const received = new Float32Array(5 + 3000).fill(9);
    for (const frame of framesOf(sent, 11)) expect(readFrameInto(frame, received)).toBe(3000);
    expect(received.subarray(5)).toEqual(values);
    const end = sent.findLast((message) => message.kind === "uploadEnd");
    const crcs = framesOf(sent, 12).map(({ crc32 }) => crc32);
    expect(end).toMatchObject({ numFrames: 1, checksum: checksumOfFrames(crcs) });
  });

  it("sends one frame at a time while the stream is full", async () => {
    const openings: (() => void)[] = [];
    const drained = (): Promise<void> => new Promise((resolve) => openings.push(resolve));
    const { upload, sent } = started({ drained });
    upload.gradient({ node: 0, firstValue: 0, values: Float32Array.of(1), rowValues: 0 });
    upload.gradient({ node: 0, firstValue: 1, values: Float32Array.of(2), rowValues: 0 });
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await settle();
    expect(sent.filter(({ kind }) => kind === "frame")).toHaveLength(1);
    openings.shift()?.();
    await settle();
    expect(sent.filter(({ kind }) => kind === "frame")).toHaveLength(2);
  });

  it("gives a slice's memory back when it is out, and not before", async () => {
    const outs: (() => void)[] = [];
    const { upload, recycled } = started({
      drained: () => new Promise((resolve) => outs.push(resolve)),
    });
    const slices = [1, 2].map((value) => Float32Array.of(value));
    for (const [firstValue, values] of slices.entries()) {
      upload.gradient({ node: 0, firstValue, values, rowValues: 0 });
    }
    for (const [index, values] of slices.entries()) {
      await vi.waitFor(() => expect(outs).toHaveLength(index + 1));
      expect(recycled).not.toContain(values);
      outs[index]!();
      await vi.waitFor(() => expect(recycled).toContain(values));
    }
    expect(recycled).toHaveLength(2);
  });

  it("sends nothing more once it is cancelled", async () => {
    const abort = new AbortController();
    const { upload, sent } = started({ signal: abort.signal });
    upload.gradient({ node: 0, firstValue: 0, values: Float32Array.of(1), rowValues: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    const numBefore = sent.length;
    abort.abort();
    upload.gradient({ node: 0, firstValue: 1, values: Float32Array.of(2), rowValues: 0 });
    await upload.finish([trainedLeaf(2), trainedLeaf(3), trainedLeaf(4)]);
    expect(numBefore).toBe(2);
    expect(sent).toHaveLength(numBefore);
  });

  it("rejects when the stream fails, once asked to finish", async () => {
    const { upload } = started({ drained: () => Promise.reject(new Error("reset")) });
    upload.gradient({ node: 0, firstValue: 0, values: Float32Array.of(1), rowValues: 0 });
    await expect(upload.finish([])).rejects.toThrow("reset");
  });
});

describe("a LeaseUpload with shared memory", () => {
  it("names the place of gradients that are there, and sends the others and all states itself", async () => {
    const written: [node: number, frame: TensorFrame][] = [];
    const memory: GradientMemory = {
      write: (node, frame) => {
        written.push([node, frame]);
        const { transfer, firstValue, crc32 } = frame;
        return node === 0
          ? { transfer, firstValue, crc32, segment: 1, numValues: frame.payload.byteLength / 4 }
          : undefined;
      },
    };
    const { upload, sent } = started({ memory });
    for (const node of [0, 1]) {
      upload.gradient({ node, firstValue: 7, values: Float32Array.of(1, 2), rowValues: 0 });
    }
    await upload.finish([2, 3, 4].map((leaf) => trainedLeaf(leaf)));
    expect(
      written.map(([node, { transferKind, firstValue }]) => [node, transferKind, firstValue]),
    ).toEqual([
      [0, "gradient", 7],
      [1, "gradient", 7],
    ]);
    const kinds = sent.flatMap((message) =>
      message.kind === "frame"
        ? [`${message.frame.transferKind} ${message.frame.transfer}`]
        : message.kind === "segmentFrame"
          ? [`shared ${message.frame.transfer} at ${message.frame.firstValue}`]
          : [],
    );
    expect(kinds.filter((kind) => !kind.startsWith("carriedState"))).toEqual([
      "shared 11 at 7",
      "gradient 12",
    ]);
    // The end counts frames and sums them up, whatever carried them.
    const [end] = sent.filter((message) => message.kind === "uploadEnd");
    const crcs = sent.flatMap((message) =>
      (message.kind === "frame" || message.kind === "segmentFrame") && message.frame.transfer === 11
        ? [message.frame.crc32]
        : [],
    );
    expect(end).toMatchObject({ numFrames: crcs.length, checksum: checksumOfFrames(crcs) });
  });

  it.each([
    ["between two rows", 4],
    ["within a row", 3],
  ])(
    "sends what is left when memory is full %s, without its zeros where it can",
    async (_, row) => {
      const numValues = (2 * MAX_FRAME_BYTES) / Float32Array.BYTES_PER_ELEMENT;
      const values = new Float32Array(numValues - (numValues % row));
      // Too many rows to leave the memory out, and all that is left over but for the last one zeros.
      values.fill(0.5, 0, values.length / 2);
      values.set([0.1, 0.2], values.length - 2);
      const place = new Float32Array(5 + values.length).fill(9);
      let numWritten = 0;
      const memory: GradientMemory = {
        write: (_node, frame) => {
          if (numWritten === 1) return undefined;
          numWritten += 1;
          const { transfer, firstValue, crc32 } = frame;
          return {
            transfer,
            firstValue,
            crc32,
            segment: 1,
            numValues: readFrameInto(frame, place),
          };
        },
      };
      const { upload, sent } = started({ memory });
      upload.gradient({ node: 0, firstValue: 5, values, rowValues: row });
      await upload.finish([trainedLeaf(2, 0), trainedLeaf(3, 0), trainedLeaf(4, 0)]);
      expect(sent.filter(({ kind }) => kind === "segmentFrame")).toHaveLength(1);
      const frames = framesOf(sent, 11);
      for (const frame of frames) readFrameInto(frame, place);
      expect(Buffer.from(place.buffer, 20).equals(Buffer.from(values.buffer))).toBe(true);
      expect(frames.every(({ rows }) => (rows === undefined) === (row === 3))).toBe(true);
    },
  );

  it("leaves memory out where few rows have a gradient, and sends these rows", async () => {
    const rowValues = 8;
    const values = new Float32Array(100 * rowValues);
    for (const row of [3, 40, 99]) values.fill(row + 0.1, row * rowValues, (row + 1) * rowValues);
    const write = vi.fn<GradientMemory["write"]>();
    const { upload, sent } = started({ memory: { write } });
    upload.gradient({ node: 0, firstValue: 5, values, rowValues });
    await upload.finish([trainedLeaf(2, 0), trainedLeaf(3, 0), trainedLeaf(4, 0)]);
    expect(write).not.toHaveBeenCalled();
    const frames = framesOf(sent, 11);
    expect(frames.map(({ payload }) => payload.byteLength)).toEqual([3 * rowValues * 4]);
    const place = new Float32Array(5 + values.length).fill(9);
    for (const frame of frames) readFrameInto(frame, place);
    expect(place.subarray(5)).toEqual(values);
  });
});
