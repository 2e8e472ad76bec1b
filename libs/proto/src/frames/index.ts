/**
 * Tensors in frames: raw little-endian values of at most 1 MiB, each with a CRC-32. A gradient's may leave
 * rows of zeros out, and lower halves of zeros: `readFrameInto` writes the same values whichever form they have.
 *
 * @example
 * const frames = encodeGradientFrames({ transfer: 7, firstValue: 0, values: gradient, rowValues: 200 });
 * const checksum = checksumOfFrames(frames.map((frame) => frame.crc32));
 * // and at the other end, for each frame
 * checkFrame(frame);
 * readFrameInto(frame, gradient);
 */
export { bytesOf } from "./bytes-of.js";
export { carriedBytes, FRAME_CARRIERS } from "./carried-bytes.js";
export type { FrameCarrier } from "./carried-bytes.js";
export { checksumOfFrames, digestOfFrames } from "./checksums.js";
export { computeCrc32By, crc32 } from "./crc32.js";
export type { Crc32 } from "./crc32.js";
export { encodeGradientFrames } from "./gradient-frames.js";
export type { GradientValues } from "./gradient-frames.js";
export { scanRows } from "./row-mask.js";
export type { RowScan } from "./row-mask.js";
export {
  bytesOfFrame,
  checkFrame,
  crcOfFrame,
  encodeFrames,
  readFrameInto,
} from "./tensor-frames.js";
export type { DoubleKind, ValuesOf } from "./tensor-frames.js";
export { digestOfVersion, framesOfVersion } from "./version-frames.js";
export type { VersionValues } from "./version-frames.js";
