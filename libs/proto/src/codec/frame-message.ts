/** Messages that carry a tensor frame: nearly all bytes that are sent. */

import protobuf from "protobufjs/minimal.js";

import { ostinato } from "../../generated/coordinator.js";
import type { Codec } from "./codec.js";
import { named } from "./codec.js";
import { FieldProblem } from "./field.js";
import type { TensorFrame } from "./messages.js";
import { tensorFrame } from "./parts.js";

const { TensorFrame: GeneratedFrame } = ostinato.v1;

const PAYLOAD_FIELD = 5;
const LENGTH_DELIMITED = 2;

/**
 * The codec, but for the encoding of the messages of kind `frame`. protobufjs writes a message into a
 * buffer that it makes larger as it goes, and copies once more what is in it then; here
 * the size is known before, and a payload is copied once. What is written is plain protobuf either way.
 *
 * @param name of the message, for errors
 * @param frameField number of the message's field `frame`
 */
export function withSparingFrames<Message extends { readonly kind: string }>(
  name: string,
  frameField: number,
  codec: Codec<Message | { readonly kind: "frame"; readonly frame: TensorFrame }>,
): typeof codec {
  return {
    ...codec,
    encode: (message, allocate = (numBytes) => Buffer.allocUnsafe(numBytes)) =>
      isFrame(message)
        ? named(name, () => encodeFrameMessage(frameField, message.frame, allocate))
        : codec.encode(message),
  };
}

function isFrame(message: {
  readonly kind: string;
}): message is { readonly kind: "frame"; readonly frame: TensorFrame } {
  return message.kind === "frame";
}

function encodeFrameMessage(
  frameField: number,
  frame: TensorFrame,
  allocate: (numBytes: number) => Buffer,
): Buffer {
  const { payload, ...fields } = FieldProblem.within("frame", () => tensorFrame.toWire(frame));
  const numPayloadBytes = payload?.length ?? 0;
  // Fields may come in any order: the payload is the frame's last one, whatever else a frame has.
  const beginning = GeneratedFrame.encode(fields).finish();
  const payloadHead = protobuf.Writer.create()
    .uint32(tagOf(PAYLOAD_FIELD))
    .uint32(numPayloadBytes)
    .finish();
  const head = protobuf.Writer.create()
    .uint32(tagOf(frameField))
    .uint32(beginning.length + payloadHead.length + numPayloadBytes)
    .finish();
  const bytes = allocate(head.length + beginning.length + payloadHead.length + numPayloadBytes);
  let position = 0;
  for (const part of [head, beginning, payloadHead, payload ?? []]) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}

function tagOf(field: number): number {
  return (field << 3) | LENGTH_DELIMITED;
}
