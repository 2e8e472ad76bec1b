import { onOneLine, WireError } from "../errors/index.js";
import { MAX_MESSAGE_BYTES } from "../limits.js";
import type { Field } from "./field.js";
import { FieldProblem } from "./field.js";

/** A message's bytes from its value and back. */
export interface Codec<Value> {
  /**
   * @param allocate makes the buffer, of the bytes asked for, that a message with a tensor frame is written
   *   to; of other messages, which are small, nobody is asked
   * @returns at most `MAX_MESSAGE_BYTES` that share nothing with the value: its buffers are copied
   * @throws {WireError} `badMessage`, `frameTooLarge` or `messageTooLarge`, naming the field
   */
  encode(value: Value, allocate?: (numBytes: number) => Buffer): Buffer;
  /**
   * Takes bytes of any origin. Fields of a later version are skipped.
   *
   * @returns the value, whose `bytes` are views on `bytes`
   * @throws {WireError} `badMessage`, `frameTooLarge` or `messageTooLarge`, naming the field
   */
  decode(bytes: Uint8Array): Value;
}

/** The part of protobufjs' generated class that a codec uses. */
export interface GeneratedMessage<Wire> {
  encode(message: Wire): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Wire;
}

export function createCodec<Value, Wire>(
  name: string,
  generated: GeneratedMessage<Wire>,
  message: Field<Value, Wire>,
): Codec<Value> {
  const checkSize = (bytes: Uint8Array): void => {
    if (bytes.byteLength <= MAX_MESSAGE_BYTES) return;
    throw new WireError(
      "messageTooLarge",
      `${name} has ${bytes.byteLength} bytes; at most ${MAX_MESSAGE_BYTES} go`,
    );
  };
  return {
    encode: (value) => {
      const wire = named(name, () => message.toWire(value));
      const bytes = generated.encode(wire).finish();
      checkSize(bytes);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    decode: (bytes) => {
      checkSize(bytes);
      let wire: Wire;
      try {
        wire = generated.decode(bytes);
      } catch (error) {
        const reason = error instanceof Error ? onOneLine(error.message) : "unknown";
        throw new WireError("badMessage", `${name} is no such message: ${reason}`, {
          cause: error,
        });
      }
      return named(name, () => message.fromWire(wire));
    },
  };
}

/** Runs `work`, and names the message in what it says is wrong with a field. */
export function named<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FieldProblem)) throw error;
    throw new WireError(error.code, `${name}${error.path} ${error.message}`);
  }
}
