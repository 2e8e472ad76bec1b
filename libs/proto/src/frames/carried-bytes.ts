import type { CoordinatorMessage, WorkerMessage } from "../codec/index.js";
import { VALUE_BYTES } from "./frame-shape.js";
import { bytesOfFrame } from "./tensor-frames.js";

/** What carries a frame's values from one process to the other. */
export const FRAME_CARRIERS = ["stream", "sharedMemory"] as const;

export type FrameCarrier = (typeof FRAME_CARRIERS)[number];

/** The bytes of a tensor that a message stands for, and what carries them; undefined for other messages. */
export function carriedBytes(
  message: CoordinatorMessage | WorkerMessage,
): { readonly carrier: FrameCarrier; readonly numBytes: number } | undefined {
  switch (message.kind) {
    case "frame":
      return { carrier: "stream", numBytes: bytesOfFrame(message.frame) };
    case "segmentFrame":
      // Of parameters or of a gradient, which are float32 there.
      return { carrier: "sharedMemory", numBytes: message.frame.numValues * VALUE_BYTES.gradient };
    default:
      return undefined;
  }
}
