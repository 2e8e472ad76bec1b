/** Tensors in frames: what a peer says they are, and the values that come out. */

import {
  checkFrame,
  encodeGradientFrames,
  readFrameInto,
  WIRE_CODECS,
  WireError,
} from "@ostinato/proto";
import type { TensorFrame } from "@ostinato/proto";
import { crc32 } from "node:zlib";
import { parserTarget, plainBytes, requireThat } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import type { TargetTable } from "./table.js";
import { frames } from "./wire-samples.js";

/** Values of the flat buffer that frames are read into, and of the room around it that must stay as it is. */
const NUM_VALUES = 4096;
const MARGIN = 64;
const UNTOUCHED = -7;

/** A frame of any content with the checksum that belongs to it, into a buffer. */
function tensorFrame(): FuzzTarget {
  const codec = WIRE_CODECS.WorkerMessage;
  return parserTarget<{
    readonly frame: TensorFrame;
    readonly numRead: number;
    readonly room: Float32Array | Float64Array;
  }>({
    ...{ name: "tensorFrame", refusals: [WireError] },
    seeds: frames.map((frame) => plainBytes(codec.encode({ kind: "frame", frame }))),
    parse: (input) => {
      const message = codec.decode(input);
      if (message.kind !== "frame") throw new WireError("badMessage", "another message");
      const { payload, rows } = message.frame;
      const ofMask = rows === undefined ? 0 : crc32(rows.mask);
      const frame = {
        ...message.frame,
        crc32: payload.length === 0 ? ofMask : crc32(payload, ofMask),
      };
      const isDouble = frame.transferKind === "moments" || frame.transferKind === "statistics";
      const room = new (isDouble ? Float64Array : Float32Array)(NUM_VALUES + 2 * MARGIN).fill(
        UNTOUCHED,
      );
      checkFrame(frame);
      const numRead = readFrameInto(frame, room.subarray(MARGIN, MARGIN + NUM_VALUES));
      return { frame, numRead, room };
    },
    check: ({ frame, numRead, room }) => {
      const { firstValue, payload, rows, valueFormat } = frame;
      const start = MARGIN + firstValue;
      const isOutside = (_: number, at: number): boolean => at < start || at >= start + numRead;
      requireThat(
        [...room].filter(isOutside).every((value) => value === UNTOUCHED),
        () => "a frame wrote beyond its values",
      );
      if (rows !== undefined || valueFormat !== undefined) return;
      const values = room.subarray(start, start + numRead);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      requireThat(
        Buffer.compare(bytes, payload) === 0,
        () => "a frame's values are not its payload's",
      );
    },
  });
}

/** Any values as a gradient: the smallest form must give back every bit. */
function gradientFrames(): FuzzTarget {
  const seedOf = (rowValues: number, values: readonly number[]): Uint8Array =>
    Uint8Array.of(rowValues, ...new Uint8Array(Float32Array.from(values).buffer));
  return parserTarget<{ readonly sent: Float32Array; readonly rowValues: number }>({
    ...{ name: "gradientFrames", refusals: [WireError], words: ["\0".repeat(64)] },
    seeds: [
      seedOf(0, [1, 2, 3]),
      seedOf(2, [1, 0, 0, 0, ...Array.from({ length: 60 }, () => 0), 0.1, 0]),
      seedOf(
        16,
        Array.from({ length: 128 }, (_, i) => (i % 32 === 0 ? 1 / 3 : 0)),
      ),
      seedOf(4, [-0, 0, NaN, Infinity]),
    ],
    parse: (input) => ({
      rowValues: input[0] ?? 0,
      sent: new Float32Array(
        Uint8Array.from(input.subarray(1, 1 + ((input.length - 1) & ~3))).buffer,
      ),
    }),
    check: ({ sent, rowValues }) => {
      const received = new Float32Array(sent.length + 5).fill(UNTOUCHED);
      let numRead = 0;
      for (const frame of encodeGradientFrames({
        transfer: 1,
        firstValue: 3,
        values: sent,
        rowValues,
      })) {
        const bytes = WIRE_CODECS.WorkerMessage.encode({ kind: "frame", frame });
        const message = WIRE_CODECS.WorkerMessage.decode(plainBytes(bytes));
        if (message.kind !== "frame") throw new Error("a frame became another message");
        checkFrame(message.frame);
        numRead += readFrameInto(message.frame, received);
      }
      const got = new Uint8Array(received.buffer, 3 * 4, sent.byteLength);
      const given = new Uint8Array(sent.buffer, sent.byteOffset, sent.byteLength);
      requireThat(
        numRead === sent.length && Buffer.compare(got, given) === 0,
        () => "a gradient changes when it is sent",
      );
    },
  });
}

export const FRAME_TARGETS = { tensorFrame, gradientFrames } as const satisfies TargetTable;
