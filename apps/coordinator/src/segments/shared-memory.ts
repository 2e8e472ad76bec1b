/** The coordinator's end of the shared memory: who takes part, and which segment holds what. */

import type { SegmentFolder, SegmentFrame, SegmentOwner, TensorFrame } from "@ostinato/proto";
import {
  createSegmentFolder,
  gradientSegment,
  MAX_GRADIENT_SEGMENTS,
  removeLeftSegmentFolders,
  removeSegmentFolder,
  SegmentFiles,
  SegmentReader,
  WireError,
} from "@ostinato/proto";
import { isProcessAlive } from "@ostinato/run";
import type { SignalSender } from "@ostinato/run";

/** A worker on this machine, from attach to the end of its stream. */
export interface MemorySharer {
  /**
   * The frame with its payload, of a gradient that this worker uploads.
   *
   * @param gradient where its values belong, and are read to as far as they lie within it
   * @throws {WireError} `sharedMemory`, `frameTooLarge`
   */
  read(frame: SegmentFrame, gradient: Float32Array): TensorFrame;
  /** Removes what it wrote. */
  leave(): void;
}

export class SharedMemory {
  readonly folder: SegmentFolder;
  readonly #files: SegmentFiles;
  readonly #reader: SegmentReader;
  readonly #segments = new Map<Float32Array, number>();
  #numSharers = 0;

  /** @param folder new, and this process's own */
  constructor(folder: SegmentFolder) {
    this.folder = folder;
    this.#files = new SegmentFiles(folder);
    this.#reader = new SegmentReader(this.#files);
  }

  /**
   * The segment that belongs to a version's buffer and holds its parameters for as long; 0 while nobody would
   * read it.
   */
  segmentOf(parameters: Float32Array): number {
    if (this.#numSharers === 0) return 0;
    let segment = this.#segments.get(parameters);
    if (segment === undefined) {
      segment = this.#segments.size + 1;
      this.#segments.set(parameters, segment);
    }
    return segment;
  }

  join(workerId: string): MemorySharer {
    this.#numSharers += 1;
    let hasLeft = false;
    return {
      read: (frame, gradient) => {
        if (frame.segment > MAX_GRADIENT_SEGMENTS) {
          throw new WireError(
            "sharedMemory",
            `${workerId} names segment ${frame.segment}; it may have ${MAX_GRADIENT_SEGMENTS}`,
          );
        }
        const name = gradientSegment(workerId, frame.segment);
        return this.#reader.read(name, "gradient", frame, gradient);
      },
      leave: () => {
        if (hasLeft) return;
        hasLeft = true;
        this.#numSharers -= 1;
        this.#files.remove(gradientSegment(workerId, ""));
      },
    };
  }

  /** Removes the folder and all that is in it. */
  dispose(): void {
    this.#files.close();
    removeSegmentFolder(this.folder);
  }
}

/**
 * A folder for this process, after removing those of coordinators that were killed.
 *
 * @returns undefined, and why, on a machine that has none
 */
export function openSharedMemory(
  owner: SegmentOwner & SignalSender,
): { readonly memory: SharedMemory } | { readonly memory: undefined; readonly reason: string } {
  try {
    removeLeftSegmentFolders((pid) => isProcessAlive(pid, owner), owner);
    return { memory: new SharedMemory(createSegmentFolder(owner)) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { memory: undefined, reason: error.message };
  }
}
