import type { TensorFrame } from "../codec/index.js";
import { digestOfFrames } from "./checksums.js";
import { encodeFrames } from "./tensor-frames.js";

/** What a worker needs of one version of a model: immutable, and sent as a whole. */
export interface VersionValues {
  /** The flat parameters. */
  readonly parameters: Float32Array;
  /** The running statistics that belong to them; empty for a model that has none. */
  readonly statistics: Float64Array;
}

/** The frames of a version, in the order in which they are sent: views, see `encodeFrames`. */
export function framesOfVersion(version: VersionValues, transfer: number): TensorFrame[] {
  const { parameters, statistics } = version;
  return [
    ...encodeFrames({ transfer, transferKind: "parameters", values: parameters }),
    ...encodeFrames({ transfer, transferKind: "statistics", values: statistics }),
  ];
}

/**
 * Names a version: `digestOfFrames` of the frames in which it is sent, in hex. It stands in the ledger line
 * of each step.
 */
export function digestOfVersion(version: VersionValues): string {
  const frames = framesOfVersion(version, 0);
  return Buffer.from(digestOfFrames(frames.map(({ crc32 }) => crc32))).toString("hex");
}
