/** Changes of a frame's values, with the checksum that belongs to them. */

import { crcOfFrame } from "@ostinato/proto";
import type { TensorFrame } from "@ostinato/proto";

/** Bits of a NaN as float32, little-endian; its upper half is a NaN of bfloat16. */
const NOT_A_NUMBER = [0x00, 0x00, 0xc0, 0x7f] as const;

/** The frame with its first value not a number. */
export function notFinite(frame: TensorFrame): TensorFrame {
  const payload = Uint8Array.from(frame.payload);
  // A float64 is a NaN by its last two bytes.
  const bytes =
    frame.valueFormat === "bfloat16"
      ? NOT_A_NUMBER.slice(2)
      : isDouble(frame)
        ? [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]
        : NOT_A_NUMBER;
  payload.set(bytes, 0);
  return sealed({ ...frame, payload });
}

/** The frame with every value of a gradient multiplied. */
export function scaled(frame: TensorFrame, factor: number): TensorFrame {
  if (frame.transferKind !== "gradient") return frame;
  const payload = Uint8Array.from(frame.payload);
  const view = new DataView(payload.buffer);
  if (frame.valueFormat === "bfloat16") {
    for (let at = 0; at < payload.length; at += 2) {
      view.setUint16(at, upperHalf(widened(view.getUint16(at, true)) * factor), true);
    }
  } else {
    for (let at = 0; at < payload.length; at += 4) {
      view.setFloat32(at, view.getFloat32(at, true) * factor, true);
    }
  }
  return sealed({ ...frame, payload });
}

/** One bit is another one; the checksum says so. */
export function bitFlipped(frame: TensorFrame, bit: number): TensorFrame {
  const payload = Uint8Array.from(frame.payload);
  const at = bit % (payload.length * 8);
  payload[at >> 3] = (payload[at >> 3] ?? 0) ^ (1 << (at & 7));
  return { ...frame, payload };
}

function isDouble({ transferKind }: TensorFrame): boolean {
  return transferKind === "moments" || transferKind === "statistics";
}

function sealed(frame: TensorFrame): TensorFrame {
  return { ...frame, crc32: crcOfFrame(frame) };
}

const bits = new DataView(new ArrayBuffer(4));

function widened(half: number): number {
  bits.setUint32(0, half << 16);
  return bits.getFloat32(0);
}

function upperHalf(value: number): number {
  bits.setFloat32(0, value);
  return bits.getUint16(0);
}
