import type { CoordinatorMessage, TensorFrame } from "@ostinato/proto";
import { digestOfFrames, encodeFrames } from "@ostinato/proto";
import { describe, expect, it } from "vitest";

import { ParameterVersions } from "./parameter-versions.js";

const SIZE = 6;

interface Broadcast {
  readonly announcement: Extract<CoordinatorMessage, { kind: "parameters" }>;
  readonly frames: readonly TensorFrame[];
}

/** Every value is the version; two frames, and one for statistics if there are any. */
function broadcast(version: number, size = SIZE, numStatistics = 0): Broadcast {
  const transfer = 100 + version;
  const half = new Float32Array(size / 2).fill(version);
  const frames = [0, size / 2].flatMap((firstValue) =>
    encodeFrames({ transfer, transferKind: "parameters", firstValue, values: half }),
  );
  const values = new Float64Array(numStatistics).fill(version + 0.1);
  frames.push(...encodeFrames({ transfer, transferKind: "statistics", values }));
  const digest = digestOfFrames(frames.map((frame) => frame.crc32));
  return {
    announcement: { kind: "parameters", transfer, version, numFrames: frames.length, digest },
    frames,
  };
}

function receive(versions: ParameterVersions, { announcement, frames }: Broadcast): unknown[] {
  versions.announce(announcement);
  return frames.map((frame) => versions.receive(frame));
}

describe("ParameterVersions", () => {
  it("has a version from its last frame on", () => {
    const versions = new ParameterVersions(SIZE, 0);
    expect(receive(versions, broadcast(3))).toEqual([undefined, 3]);
    expect(versions.newest).toBe(3);
    expect(versions.acquire(3)?.values).toEqual(new Float32Array(SIZE).fill(3));
    expect(versions.acquire(2)).toBeUndefined();
  });

  it("puts versions into memory that a thread can read without a copy", () => {
    const versions = new ParameterVersions(SIZE, 0);
    receive(versions, broadcast(0));
    expect(versions.acquire(0)?.values.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("lets values be written to where they belong, if they are those that come next", () => {
    const versions = new ParameterVersions(SIZE, 0);
    const { announcement, frames } = broadcast(3);
    const [first, second] = frames as [TensorFrame, TensorFrame];
    expect(versions.destinationOf(first)).toBeUndefined();
    versions.announce(announcement);
    expect(versions.destinationOf(second)).toBeUndefined();
    expect(versions.destinationOf({ ...first, transfer: 1 })).toBeUndefined();
    for (const frame of [first, second]) {
      const destination = versions.destinationOf(frame);
      const { firstValue } = frame;
      const values = destination!.subarray(firstValue, firstValue + SIZE / 2).fill(3);
      const { buffer, byteOffset, byteLength } = values;
      versions.receive({ ...frame, payload: new Uint8Array(buffer, byteOffset, byteLength) });
    }
    expect(versions.acquire(3)?.values).toEqual(new Float32Array(SIZE).fill(3));
  });

  it("has a version's running statistics, as they came with it, for as long as it is held", () => {
    const versions = new ParameterVersions(SIZE, 4);
    expect(receive(versions, broadcast(3, SIZE, 4))).toEqual([undefined, undefined, 3]);
    const held = versions.acquire(3);
    for (const version of [4, 5, 6, 7]) receive(versions, broadcast(version, SIZE, 4));
    expect(held?.statistics).toEqual(new Float64Array(4).fill(3.1));
    expect(versions.acquire(7)?.statistics).toEqual(new Float64Array(4).fill(7.1));
    expect(held?.statistics.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it.each([0, 2, 6])(
    "refuses a version with %d statistics of a model that has 4",
    (numStatistics) => {
      const versions = new ParameterVersions(SIZE, 4);
      expect(() => receive(versions, broadcast(1, SIZE, numStatistics))).toThrow(
        numStatistics > 4 ? /there are 4$/ : /and \d statistics, the model has 6 and 4$/,
      );
      expect(versions.newest).toBeUndefined();
    },
  );

  it("keeps the newest two", () => {
    const versions = new ParameterVersions(SIZE, 0);
    for (const version of [0, 1, 2]) receive(versions, broadcast(version));
    expect(versions.acquire(0)).toBeUndefined();
    expect(versions.acquire(1)?.values[0]).toBe(1);
    expect(versions.acquire(2)?.values[0]).toBe(2);
  });

  it("keeps the two that came last, also where that is an older one, as for a final evaluation", () => {
    const versions = new ParameterVersions(SIZE, 0);
    for (const version of [11, 12, 2]) receive(versions, broadcast(version));
    expect(versions.acquire(2)?.values[0]).toBe(2);
    expect(versions.acquire(12)?.values[0]).toBe(12);
    expect(versions.acquire(11)).toBeUndefined();
  });

  it("leaves a version that is held as it is, however many follow", () => {
    const versions = new ParameterVersions(SIZE, 0);
    receive(versions, broadcast(0));
    const held = versions.acquire(0);
    for (const version of [1, 2, 3, 4, 5]) receive(versions, broadcast(version));
    expect(held?.values).toEqual(new Float32Array(SIZE).fill(0));
  });

  it("uses the memory of released versions again", () => {
    const versions = new ParameterVersions(SIZE, 0);
    const buffers = new Set<ArrayBufferLike>();
    for (let version = 0; version < 20; version++) {
      receive(versions, broadcast(version));
      const held = versions.acquire(version);
      buffers.add(held!.values.buffer);
      held!.release();
      held!.release();
    }
    // Two kept and one being received.
    expect(buffers.size).toBe(3);
  });

  it("takes the same version again, as after a replayed step", () => {
    const versions = new ParameterVersions(SIZE, 0);
    receive(versions, broadcast(4));
    expect(receive(versions, broadcast(4))).toEqual([undefined, 4]);
    receive(versions, broadcast(5));
    expect(versions.acquire(4)).toBeDefined();
    expect(versions.acquire(5)).toBeDefined();
  });

  it.each<[string, RegExp, (b: Broadcast) => Broadcast]>([
    [
      "a digest that differs",
      /parameters 1 do not have the announced digest/,
      (b) => ({ ...b, announcement: { ...b.announcement, digest: new Uint8Array(32) } }),
    ],
    [
      "frames in another order",
      /begins at value 3, not 0/,
      (b) => ({ ...b, frames: b.frames.toReversed() }),
    ],
    [
      "frames of another transfer",
      /transfer 7, which was not announced/,
      (b) => ({ ...b, frames: b.frames.map((frame) => ({ ...frame, transfer: 7 })) }),
    ],
    [
      "too few values",
      /parameters 1 have 3 values and 0 statistics, the model has 6 and 0/,
      (b) => ({ ...b, announcement: { ...b.announcement, numFrames: 1 } }),
    ],
    ["too many values", /./, () => broadcast(1, SIZE + 2)],
  ])("refuses %s", (_, message, spoil) => {
    const versions = new ParameterVersions(SIZE, 0);
    expect(() => receive(versions, spoil(broadcast(1)))).toThrow(message);
    expect(versions.newest).toBeUndefined();
  });

  it("refuses a damaged frame and an announcement amid another version", () => {
    const versions = new ParameterVersions(SIZE, 0);
    const { announcement, frames } = broadcast(1);
    versions.announce(announcement);
    expect(() => versions.receive({ ...frames[0]!, crc32: frames[0]!.crc32 ^ 1 })).toThrow(
      expect.objectContaining({ code: "checksum" }),
    );
    expect(() => versions.announce(broadcast(2).announcement)).toThrow(
      /parameters 2 announced before parameters 1 were complete/,
    );
  });
});
