import { digestOfFrames } from "./checksums.js";
import { encodeFrames } from "./tensor-frames.js";

/**
 * Names a parameter version: `digestOfFrames` of the frames in which it is sent, in hex. It stands in the
 * ledger line of each step.
 *
 * @param parameters the flat parameters
 */
export function digestOfParameters(parameters: Float32Array): string {
  const frames = encodeFrames({ transfer: 0, transferKind: "parameters", values: parameters });
  return Buffer.from(digestOfFrames(frames.map(({ crc32 }) => crc32))).toString("hex");
}
