/**
 * Tensors in frames: raw little-endian values of at most 1 MiB, each with a CRC-32.
 *
 * @example
 * const frames = encodeFrames({ transfer: 7, transferKind: "gradient", values: gradient });
 * const checksum = checksumOfFrames(frames.map((frame) => frame.crc32));
 * // and at the other end, for each frame
 * checkFrame(frame);
 * readFrameInto(frame, gradient);
 */
export { checksumOfFrames, digestOfFrames } from "./checksums.js";
export { checkFrame, encodeFrames, readFrameInto } from "./tensor-frames.js";
export type { DoubleKind, ValuesOf } from "./tensor-frames.js";
export { digestOfVersion, framesOfVersion } from "./version-frames.js";
export type { VersionValues } from "./version-frames.js";
