/** A worker's end of the shared memory: parameters to read, gradients to write. */

import type { SegmentFolder, SegmentFrame, SegmentOwner, TensorFrame } from "@ostinato/proto";
import {
  findSegmentFolder,
  gradientSegment,
  MAX_GRADIENT_SEGMENTS,
  parametersSegment,
  SegmentFiles,
  SegmentReader,
  WireError,
  writeSegmentFrame,
} from "@ostinato/proto";
import type { Logger } from "@ostinato/runtime";

/** Belongs to one identity, whose name its segments have, and goes with the stream. */
export class SharedMemory {
  readonly #workerId: string;
  readonly #files: SegmentFiles;
  readonly #reader: SegmentReader;
  readonly #logger: Logger;
  #isWritable = true;

  constructor(options: { workerId: string; folder: SegmentFolder }, logger: Logger) {
    this.#workerId = options.workerId;
    this.#files = new SegmentFiles(options.folder);
    this.#reader = new SegmentReader(this.#files);
    this.#logger = logger;
  }

  /**
   * The frame of parameters with its payload: see SegmentReader.read.
   *
   * @throws {WireError} `sharedMemory`, `frameTooLarge`
   */
  read(frame: SegmentFrame, destination?: Float32Array): TensorFrame {
    return this.#reader.read(parametersSegment(frame.segment), "parameters", frame, destination);
  }

  /**
   * Writes a frame of the gradient of a lease's node.
   *
   * The segments of the lease before may be written over: the coordinator has read all of it, or wants none of
   * it, before it gives out another.
   *
   * @param node its index in the lease
   * @returns what is to be sent in place of the frame; undefined if it has to be sent itself, as memory is
   *   full or the lease has more nodes than there are segments
   */
  write(node: number, frame: TensorFrame): SegmentFrame | undefined {
    const segment = node + 1;
    if (!this.#isWritable || segment > MAX_GRADIENT_SEGMENTS) return undefined;
    try {
      const name = gradientSegment(this.#workerId, segment);
      return writeSegmentFrame(this.#files, name, segment, frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#isWritable = false;
      this.#logger.warn(`${error.message}; gradients are sent over the stream from now on`);
      return undefined;
    }
  }

  close(): void {
    this.#files.close();
  }
}

/** Undefined where the coordinator has no such folder or this process does not see it. */
export function joinSharedMemory(
  identity: { readonly workerId: string; readonly segmentFolder: string },
  { owner, logger }: { readonly owner: SegmentOwner; readonly logger: Logger },
): SharedMemory | undefined {
  const folder = findSegmentFolder(identity.segmentFolder, owner);
  return folder && new SharedMemory({ workerId: identity.workerId, folder }, logger);
}
