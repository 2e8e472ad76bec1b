import type { SegmentFrame, TensorFrame } from "../codec/index.js";
import { WireError } from "../errors/index.js";
import { bytesOf } from "../frames/index.js";
import { MAX_FRAME_BYTES } from "../limits.js";
import type { SegmentFiles } from "./segment-files.js";

const { BYTES_PER_ELEMENT } = Float32Array;

/** Writes a frame's payload to where its values belong in the segment; what is sent then names the place. */
export function writeSegmentFrame(
  files: SegmentFiles,
  name: string,
  segment: number,
  frame: TensorFrame,
): SegmentFrame {
  const { transfer, firstValue, payload, crc32 } = frame;
  files.write(name, firstValue * BYTES_PER_ELEMENT, payload);
  const numValues = payload.byteLength / BYTES_PER_ELEMENT;
  return { transfer, segment, firstValue, numValues, crc32 };
}

/** Turns frames in shared memory into frames with a payload: a copy, which the peer cannot change any more. */
export class SegmentReader {
  readonly #files: SegmentFiles;
  readonly #payload = new Uint8Array(MAX_FRAME_BYTES);

  constructor(files: SegmentFiles) {
    this.#files = files;
  }

  /**
   * @param destination the whole flat buffer: values that lie within it are read to where they belong, the payload
   *   being a view on them there, so that `readFrameInto` has nothing to copy
   * @returns a frame to be checked like any other; without a destination its payload holds until the next call
   * @throws {WireError} `sharedMemory`, `frameTooLarge`
   */
  read(
    name: string,
    transferKind: "parameters" | "gradient",
    { transfer, firstValue, numValues, crc32 }: SegmentFrame,
    destination?: Float32Array,
  ): TensorFrame {
    const numBytes = numValues * BYTES_PER_ELEMENT;
    if (numBytes > MAX_FRAME_BYTES) {
      throw new WireError(
        "frameTooLarge",
        `the ${transferKind} frame at value ${firstValue} of transfer ${transfer} has ${numBytes} bytes in shared memory; at most ${MAX_FRAME_BYTES} go`,
      );
    }
    const payload =
      destination !== undefined && firstValue + numValues <= destination.length
        ? bytesOf(destination.subarray(firstValue, firstValue + numValues))
        : this.#payload.subarray(0, numBytes);
    this.#files.read(name, firstValue * BYTES_PER_ELEMENT, payload);
    return { transfer, transferKind, leaf: 0, firstValue, payload, crc32 };
  }
}
