import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Begins the text of an input that is packed: the long ones are mostly one thing many times over. */
const PACKED = "z:";

/** An input as one word of a command line: base64, packed where that is shorter. */
export function inputText(input: Uint8Array): string {
  const plain = Buffer.from(input).toString("base64");
  const packed = PACKED + deflateRawSync(input).toString("base64");
  return packed.length < plain.length ? packed : plain;
}

/** @throws Error for a packed text that is none */
export function inputOf(text: string): Uint8Array {
  const bytes = Buffer.from(text.startsWith(PACKED) ? text.slice(PACKED.length) : text, "base64");
  return Uint8Array.from(text.startsWith(PACKED) ? inflateRawSync(bytes) : bytes);
}
