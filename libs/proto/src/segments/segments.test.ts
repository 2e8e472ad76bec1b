import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { WireError } from "../errors/index.js";
import { checkFrame, encodeFrames, readFrameInto } from "../frames/index.js";
import { MAX_FRAME_BYTES } from "../limits.js";
import {
  createSegmentFolder,
  findSegmentFolder,
  gradientSegment,
  parametersSegment,
  removeLeftSegmentFolders,
  removeSegmentFolder,
  SegmentFiles,
  SegmentReader,
  writeSegmentFrame,
} from "./index.js";

/** Files in memory or on disk: what is tested here is the same. */
let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "segments-"));
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

function errorOf(work: () => unknown): WireError {
  try {
    work();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a segment folder", () => {
  it("is found by its name, may be entered by its user alone, and goes with all in it", () => {
    const folder = createSegmentFolder(process, base);
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    expect(findSegmentFolder(folder.name, process, base)).toEqual(folder);
    new SegmentFiles(folder).write("parameters-1", 0, Uint8Array.of(1));
    removeSegmentFolder(folder);
    expect(existsSync(folder.path)).toBe(false);
    removeSegmentFolder(folder);
  });

  it("is not found by a name that is none, or that names something else", () => {
    const { name } = createSegmentFolder(process, base);
    const secret = join(base, "secret");
    mkdirSync(secret);
    const other = `ostinato-1-${"0".repeat(32)}`;
    symlinkSync(secret, join(base, other));
    const file = `ostinato-2-${"0".repeat(32)}`;
    writeFileSync(join(base, file), "");
    for (const wrong of ["", ".", "secret", "../etc", `${name}/..`, `./${name}`, other, file]) {
      expect(findSegmentFolder(wrong, process, base)).toBeUndefined();
    }
  });

  it("cannot be made where there is no memory for it", () => {
    const error = errorOf(() => createSegmentFolder(process, join(base, "absent")));
    expect(error.code).toBe("sharedMemory");
    expect(error.message).toMatch(/^no folder in memory: Error: ENOENT/);
  });

  it("of a process that was killed is removed, with nothing else", () => {
    const earlier = createSegmentFolder(process, base);
    const alive = `ostinato-4000002-${"b".repeat(32)}`;
    const left = `ostinato-4000001-${"a".repeat(32)}`;
    const unlike = "ostinato-4000001-abc";
    for (const name of [alive, left, unlike]) {
      mkdirSync(join(base, name));
      writeFileSync(join(base, name, "parameters-1"), "x");
    }
    removeLeftSegmentFolders((pid) => pid !== 4000001, process, base);
    // In a container a process may have the id of the one before it.
    expect(existsSync(earlier.path)).toBe(false);
    expect(readdirSync(base).sort()).toEqual([alive, unlike].sort());
    removeLeftSegmentFolders(() => false, process, join(base, "absent"));
  });
});

describe("SegmentFiles", () => {
  it("gives back what another process wrote, at its place", () => {
    const folder = createSegmentFolder(process, base);
    const writer = new SegmentFiles(folder);
    const reader = new SegmentFiles(folder);
    writer.write("gradient-worker-1-1", 4, Uint8Array.of(5, 6, 7));
    const into = new Uint8Array(2);
    reader.read("gradient-worker-1-1", 5, into);
    expect([...into]).toEqual([6, 7]);
    writer.write("gradient-worker-1-1", 5, Uint8Array.of(9));
    reader.read("gradient-worker-1-1", 5, into);
    expect([...into]).toEqual([9, 7]);
    expect(statSync(join(folder.path, "gradient-worker-1-1")).mode & 0o777).toBe(0o600);
    writer.close();
    reader.close();
  });

  it("names the segment that is absent, too short, or behind a link", () => {
    const folder = createSegmentFolder(process, base);
    const files = new SegmentFiles(folder);
    const read = (name: string, byte = 0): WireError =>
      errorOf(() => files.read(name, byte, new Uint8Array(4)));
    expect(read("parameters-1").message).toMatch(/^segment parameters-1 can't be read: ENOENT/);
    files.write("parameters-2", 0, new Uint8Array(6));
    expect(read("parameters-2", 4).message).toBe(
      "segment parameters-2 can't be read: it ends at byte 6",
    );
    // A mapping of it would end the process here.
    truncateSync(join(folder.path, "parameters-2"), 2);
    expect(read("parameters-2").message).toBe(
      "segment parameters-2 can't be read: it ends at byte 2",
    );
    symlinkSync("/etc/passwd", join(folder.path, "parameters-3"));
    expect(read("parameters-3").message).toMatch(/ELOOP/);
    expect(errorOf(() => files.write("parameters-3", 0, Uint8Array.of(1))).message).toMatch(
      /^segment parameters-3 can't be written: ELOOP/,
    );
    for (const wrong of ["../x", "", "a/b", "a".repeat(300)]) {
      expect(read(wrong).code).toBe("sharedMemory");
    }
    files.close();
  });

  it("removes the segments of one worker, and opens a later one anew", () => {
    const folder = createSegmentFolder(process, base);
    const files = new SegmentFiles(folder);
    const names = ["worker-1-1", "worker-1-11"].map((id) => gradientSegment(id, 1));
    for (const name of names) files.write(name, 0, Uint8Array.of(1));
    files.remove(gradientSegment("worker-1-1", ""));
    expect(readdirSync(folder.path)).toEqual(["gradient-worker-1-11-1"]);
    new SegmentFiles(folder).write(gradientSegment("worker-1-1", 1), 0, Uint8Array.of(2));
    const into = new Uint8Array(1);
    files.read(gradientSegment("worker-1-1", 1), 0, into);
    expect([...into]).toEqual([2]);
    removeSegmentFolder(folder);
    files.remove("gradient-");
    files.close();
  });
});

describe("frames in shared memory", () => {
  it("come out as they would have over the stream", () => {
    const folder = createSegmentFolder(process, base);
    const values = Float32Array.from({ length: MAX_FRAME_BYTES / 4 + 5 }, (_, i) => i / 3);
    const name = parametersSegment(7);
    const frames = encodeFrames({ transfer: 3, transferKind: "parameters", firstValue: 2, values });
    const writer = new SegmentFiles(folder);
    const sent = frames.map((frame) => writeSegmentFrame(writer, name, 7, frame));
    expect(
      sent.map(({ segment, firstValue, numValues }) => [segment, firstValue, numValues]),
    ).toEqual([
      [7, 2, MAX_FRAME_BYTES / 4],
      [7, 2 + MAX_FRAME_BYTES / 4, 5],
    ]);
    const reader = new SegmentReader(new SegmentFiles(folder));
    for (const [index, frame] of sent.entries()) {
      const read = reader.read(name, "parameters", frame);
      const { payload, ...rest } = read;
      expect(Buffer.compare(payload, frames[index]?.payload ?? Buffer.of())).toBe(0);
      expect(rest).toEqual({
        ...{ transfer: 3, transferKind: "parameters", leaf: 0 },
        ...{ firstValue: frame.firstValue, crc32: frames[index]?.crc32 },
      });
      checkFrame(read);
    }
  });

  it("are read to where they belong, as far as they lie in it", () => {
    const files = new SegmentFiles(createSegmentFolder(process, base));
    const [first, second] = [0, 3].map((firstValue) => {
      const values = Float32Array.of(firstValue + 1, firstValue + 2, firstValue + 3);
      const [frame] = encodeFrames({ transfer: 1, transferKind: "gradient", firstValue, values });
      if (frame === undefined) throw new Error("no frame");
      return writeSegmentFrame(files, "gradient-w-1", 1, frame);
    });
    if (first === undefined || second === undefined) throw new Error("no frames");
    const reader = new SegmentReader(files);
    for (const buffer of [new ArrayBuffer(20), new SharedArrayBuffer(20)]) {
      const destination = new Float32Array(buffer);
      const read = reader.read("gradient-w-1", "gradient", first, destination);
      expect(read.payload.buffer).toBe(buffer);
      checkFrame(read);
      expect(readFrameInto(read, destination)).toBe(3);
      expect([...destination]).toEqual([1, 2, 3, 0, 0]);
      // It ends one value beyond: nothing of it is written there.
      const beyond = reader.read("gradient-w-1", "gradient", second, destination);
      expect(beyond.payload.buffer).not.toBe(buffer);
      expect(errorOf(() => readFrameInto(beyond, destination)).code).toBe("frameOutOfBounds");
      expect([...destination]).toEqual([1, 2, 3, 0, 0]);
    }
  });

  it("are checked like any other: what was written over is damaged", () => {
    const folder = createSegmentFolder(process, base);
    const files = new SegmentFiles(folder);
    const [frame] = encodeFrames({
      ...{ transfer: 1, transferKind: "gradient", values: Float32Array.of(1, 2) },
    });
    if (frame === undefined) throw new Error("no frame");
    const name = gradientSegment("worker-1-1", 1);
    const sent = writeSegmentFrame(files, name, 1, frame);
    files.write(name, 0, new Uint8Array(8));
    const read = new SegmentReader(files).read(name, "gradient", sent);
    expect(read.crc32).toBe(crc32(frame.payload));
    expect(errorOf(() => checkFrame(read)).code).toBe("checksum");
  });

  it("are refused above the size of a frame, before anything is read", () => {
    const files = new SegmentFiles(createSegmentFolder(process, base));
    const frame = { transfer: 1, segment: 1, firstValue: 0, numValues: 2 ** 32 - 1, crc32: 0 };
    const error = errorOf(() => new SegmentReader(files).read("parameters-1", "parameters", frame));
    expect(error.code).toBe("frameTooLarge");
    expect(error.message).toBe(
      "the parameters frame at value 0 of transfer 1 has 17179869180 bytes in shared memory; at most 1048576 go",
    );
  });
});
