import { closeSync, constants, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

import { onOneLine, WireError } from "../errors/index.js";
import type { SegmentFolder } from "./segment-folder.js";

const { O_CREAT, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants;

/** A segment's name is made here, of parts that may come from a peer: no path hides in it. */
const SEGMENT_NAME = /^[\w-]{1,200}$/;

/** The segment with the parameters of a version. */
export function parametersSegment(segment: number): string {
  return `parameters-${segment}`;
}

/**
 * Segments that one worker may have: more nodes in one lease are rare, and each takes as much memory as the
 * parameters. What does not fit is sent over the stream.
 */
export const MAX_GRADIENT_SEGMENTS = 16;

/** The segment with the summed gradient of a node that a worker uploads; with "": what all of its begin with. */
export function gradientSegment(workerId: string, segment: number | ""): string {
  return `gradient-${workerId}-${segment}`;
}

/**
 * Reads and writes segments by name. They are read and written as files, not mapped: that takes a copy at 4 GB/s, and
 * spares the faults of mapped memory, which end a process where a full or shrunk file is an error (see decision 21).
 *
 * Descriptors stay open until `close`; so one name must be one file for as long.
 */
export class SegmentFiles {
  readonly #folder: SegmentFolder;
  readonly #open = new Map<string, number>();
  #isClosed = false;

  constructor(folder: SegmentFolder) {
    this.#folder = folder;
  }

  /** @throws {WireError} `sharedMemory`, such as for a full memory */
  write(segment: string, firstByte: number, bytes: Uint8Array): void {
    this.#attempt(segment, "written", () => {
      const file = this.#file(segment, O_RDWR | O_CREAT);
      for (let done = 0; done < bytes.byteLength;) {
        done += writeSync(file, bytes, done, bytes.byteLength - done, firstByte + done);
      }
    });
  }

  /** Fills `into`. @throws {WireError} `sharedMemory`, also for a segment that ends before */
  read(segment: string, firstByte: number, into: Uint8Array): void {
    this.#attempt(segment, "read", () => {
      const file = this.#file(segment, O_RDONLY);
      for (let done = 0; done < into.byteLength;) {
        const count = readSync(file, into, done, into.byteLength - done, firstByte + done);
        if (count === 0) throw new RangeError(`it ends at byte ${firstByte + done}`);
        done += count;
      }
    });
  }

  /** Removes the segments whose names begin so; what cannot be removed goes with the folder. */
  remove(prefix: string): void {
    for (const [segment, file] of this.#open) {
      if (!segment.startsWith(prefix)) continue;
      this.#open.delete(segment);
      closeSync(file);
    }
    try {
      for (const name of readdirSync(this.#folder.path)) {
        if (name.startsWith(prefix)) rmSync(join(this.#folder.path, name), { force: true });
      }
    } catch {
      // The folder is gone, and all in it.
    }
  }

  /** Nothing can be read or written from now on. */
  close(): void {
    this.#isClosed = true;
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #file(segment: string, flags: number): number {
    if (this.#isClosed) throw new RangeError("its folder was closed");
    const open = this.#open.get(segment);
    if (open !== undefined) return open;
    if (!SEGMENT_NAME.test(segment)) throw new RangeError("it is no name of a segment");
    const file = openSync(join(this.#folder.path, segment), flags | O_NOFOLLOW, 0o600);
    this.#open.set(segment, file);
    return file;
  }

  #attempt(segment: string, what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new WireError(
        "sharedMemory",
        onOneLine(`segment ${segment} can't be ${what}: ${reason}`),
        { cause: error },
      );
    }
  }
}
