import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  createSegmentFolder,
  encodeFrames,
  gradientSegment,
  MAX_GRADIENT_SEGMENTS,
  parametersSegment,
  removeSegmentFolder,
  SegmentFiles,
  SegmentReader,
  writeSegmentFrame,
} from "@ostinato/proto";
import type { SegmentFolder, TensorFrame } from "@ostinato/proto";
import { createLogger } from "@ostinato/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { joinSharedMemory, SharedMemory } from "./shared-memory.js";

let base: string;
let folder: SegmentFolder;
const { logger } = createLogger({ process: "test", console: "none" });

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "shared-memory-"));
  folder = createSegmentFolder(process, base);
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(base, { recursive: true, force: true });
});

const memoryOf = (workerId: string): SharedMemory => new SharedMemory({ workerId, folder }, logger);

function frameOf(transferKind: "gradient" | "parameters", ...values: number[]): TensorFrame {
  const [frame] = encodeFrames({ transfer: 4, transferKind, values: Float32Array.from(values) });
  if (frame === undefined) throw new Error("no frame");
  return frame;
}

describe("the shared memory of a worker", () => {
  it("has the parameters that the coordinator wrote", () => {
    const frame = frameOf("parameters", 1, 2);
    const coordinator = new SegmentFiles(folder);
    const sent = writeSegmentFrame(coordinator, parametersSegment(3), 3, frame);
    const memory = memoryOf("worker-1-1");
    expect(memory.read(sent)).toEqual(frame);
    memory.close();
  });

  it("takes the gradients of each node of a lease, and the next lease's in their place", () => {
    const memory = memoryOf("worker-1-1");
    const reader = new SegmentReader(new SegmentFiles(folder));
    for (const lease of [1, 2]) {
      for (const node of [0, 1]) {
        const frame = frameOf("gradient", lease, node);
        const sent = memory.write(node, frame);
        if (sent === undefined) throw new Error("not written");
        expect(sent.segment).toBe(node + 1);
        const name = gradientSegment("worker-1-1", sent.segment);
        expect(reader.read(name, "gradient", sent)).toEqual(frame);
      }
    }
    memory.close();
  });

  it("leaves nodes beyond its segments, and everything once it can't be written, to the stream", () => {
    const warn = vi.spyOn(logger, "warn");
    const memory = memoryOf("worker-1-1");
    const frame = frameOf("gradient", 1);
    expect(memory.write(MAX_GRADIENT_SEGMENTS - 1, frame)).toBeDefined();
    expect(memory.write(MAX_GRADIENT_SEGMENTS, frame)).toBeUndefined();
    removeSegmentFolder(folder);
    expect(memory.write(0, frame)).toBeUndefined();
    expect(memory.write(MAX_GRADIENT_SEGMENTS - 1, frame)).toBeUndefined();
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /^segment gradient-worker-1-1-1 can't be written: ENOENT.*; gradients are sent over the stream from now on$/,
        ),
      ],
    ]);
    memory.close();
  });

  it("is not there where the coordinator has none, or this process does not see it", () => {
    for (const segmentFolder of ["", folder.name, `ostinato-1-${"0".repeat(32)}`]) {
      // The folder is not where folders in memory are.
      expect(
        joinSharedMemory({ workerId: "w", segmentFolder }, { owner: process, logger }),
      ).toBeUndefined();
    }
  });
});
