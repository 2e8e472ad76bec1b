import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ostinato } from "../../generated/coordinator.js";
import { coordinatorMessages, workerMessages } from "../../test/support/arbitraries.js";
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "../limits.js";
import type { Codec, TensorFrame } from "./index.js";
import { coordinatorMessageCodec, workerMessageCodec } from "./index.js";
import { tensorFrame } from "./parts.js";

type FrameMessage = { readonly kind: "frame"; readonly frame: TensorFrame };
type Generated = typeof ostinato.v1.WorkerMessage | typeof ostinato.v1.CoordinatorMessage;

function framesOf<Message extends { readonly kind: string }>(
  messages: fc.Arbitrary<Message | FrameMessage>,
): fc.Arbitrary<FrameMessage> {
  return messages.filter((message) => message.kind === "frame") as fc.Arbitrary<FrameMessage>;
}

/** What protobufjs' generated code writes. */
function plainBytes(generated: Generated, { frame }: FrameMessage): Uint8Array {
  return generated.encode({ frame: tensorFrame.toWire(frame) }).finish();
}

/** What protobufjs' generated code reads. */
function read(generated: Generated, bytes: Uint8Array): unknown {
  return comparable({ ...generated.decode(bytes).frame });
}

/** A mebibyte compares faster as text, and a Buffer is no other array to it. */
function comparable(
  frame: object & {
    readonly payload?: Uint8Array | null;
    readonly rows?: { readonly mask?: Uint8Array | null } | null | undefined;
  },
): unknown {
  const { payload, rows, ...fields } = frame;
  const text = (bytes: Uint8Array | null | undefined): string =>
    Buffer.from(bytes ?? []).toString("base64");
  return { ...fields, payload: text(payload), rows: rows && { ...rows, mask: text(rows.mask) } };
}

const large: FrameMessage = {
  kind: "frame",
  frame: {
    transfer: 0xffff_ffff,
    transferKind: "gradient",
    leaf: 7,
    firstValue: 300,
    payload: Uint8Array.from({ length: MAX_FRAME_BYTES }, (_, index) => index % 251),
    crc32: 0x0102_0304,
  },
};

describe.each([
  ["a worker's", workerMessageCodec, ostinato.v1.WorkerMessage, framesOf(workerMessages)],
  [
    "a coordinator's",
    coordinatorMessageCodec,
    ostinato.v1.CoordinatorMessage,
    framesOf(coordinatorMessages),
  ],
] as [string, Codec<FrameMessage>, Generated, fc.Arbitrary<FrameMessage>][])(
  "%s message with a tensor frame",
  (_, codec, generated, messages) => {
    const expectSameAsPlain = (message: FrameMessage): void => {
      const bytes = codec.encode(message);
      const plain = plainBytes(generated, message);
      expect(read(generated, bytes)).toEqual(read(generated, plain));
      expect(comparable(codec.decode(bytes).frame)).toEqual(comparable(message.frame));
      // An empty payload is written too, in two bytes and a longer length before them.
      expect(bytes.length - plain.length).toBe(message.frame.payload.length === 0 ? 2 : 0);
    };

    it("is to protobuf's own code what that would have written", () => {
      fc.assert(fc.property(messages, expectSameAsPlain));
      expectSameAsPlain(large);
    });

    it("is written to the buffer that is handed in, whatever was in it, and shares nothing", () => {
      const asked: number[] = [];
      const whole = Buffer.alloc(MAX_MESSAGE_BYTES, 0xff);
      const payload = large.frame.payload.slice();
      const bytes = codec.encode({ kind: "frame", frame: { ...large.frame, payload } }, (size) => {
        asked.push(size);
        return whole.subarray(0, size);
      });
      payload.fill(0);
      expect(asked).toEqual([bytes.length]);
      expect(bytes.buffer).toBe(whole.buffer);
      expect(comparable(codec.decode(bytes).frame)).toEqual(comparable(large.frame));
      expect(whole[bytes.length]).toBe(0xff);
    });

    it("that breaks a field's rule asks for no buffer, and says which", () => {
      const never = (): never => {
        throw new Error("asked for a buffer");
      };
      const bad = { ...large.frame, firstValue: -1 };
      expect(() => codec.encode({ kind: "frame", frame: bad }, never)).toThrow(
        /Message\.frame\.firstValue is -1; it must be an integer from 0$/,
      );
    });
  },
);
