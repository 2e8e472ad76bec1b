/** Changes that know what files and messages are made of: numbers, lengths, counts, nesting. */

import { oneOf } from "./random.js";
import type { Random } from "./random.js";

const encoder = new TextEncoder();

/** Where integers end: of a byte to 64 bits, signed and not, and of what a double holds. */
const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0xffffn,
  0x10000n,
  0x7fffffffn,
].concat([
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
]);

/** An integer of 1 to 8 bytes, or protobuf's variable number of them, in place of what stands there. */
export function withNumber(input: Uint8Array, random: Random): Uint8Array {
  const value = oneOf(random, EDGES);
  const bytes =
    random(0, 1) === 0 ? varint(value) : littleEndian(value, oneOf(random, [1, 2, 4, 8]));
  const at = random(0, Math.max(0, input.length - bytes.length));
  const changed = new Uint8Array(Math.max(input.length, at + bytes.length));
  changed.set(input);
  changed.set(bytes, at);
  return changed;
}

function littleEndian(value: bigint, numBytes: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes.subarray(0, numBytes);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(left));
}

const NUMBERS = [
  "0",
  "-0",
  "-1",
  "1.5",
  "1e400",
  "-1e400",
  "1e-400",
  "4294967296",
  "9007199254740992",
].concat(["99999999999999999999", "0x10", "00", "null", "true", '"1"', "[]", "{}", ".nan", ".inf"]);

/** Another number, or what is none, in place of the digits at a place of a text. */
export function withDigits(input: Uint8Array, random: Random): Uint8Array {
  const from = random(0, Math.max(0, input.length - 1));
  const found = input.subarray(from).findIndex(isDigit);
  if (found === -1) return input;
  const start = from + found;
  let end = start;
  while (end < input.length && isDigit(input[end] ?? 0)) end++;
  const number = encoder.encode(oneOf(random, NUMBERS));
  const changed = new Uint8Array(start + number.length + input.length - end);
  changed.set(input.subarray(0, start));
  changed.set(number, start);
  changed.set(input.subarray(end), start + number.length);
  return changed;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** A part many times over: a list of more entries than anybody has. */
export function repeated(part: Uint8Array, random: Random): Uint8Array {
  if (part.length === 0) return part;
  const most = Math.min(oneOf(random, [4, 40, 4000]), Math.floor((1 << 15) / part.length) + 1);
  const times = random(1, most);
  const bytes = new Uint8Array(part.length * times);
  for (let n = 0; n < times; n++) bytes.set(part, n * part.length);
  return bytes;
}

/** What opens something, in JSON, YAML and protobuf (a group). */
const OPENERS = ["[", '{"a":', "{a: ", "- ", "? ", "!!set {a, ", "\u000b"] as const;
const CLOSERS: Readonly<Record<string, string>> = { "[": "]", '{"a":': "}", "{a: ": "}" };

/** As deep as no honest input is; closed again, half of the time. */
export function nested(random: Random): Uint8Array {
  const opener = oneOf(random, OPENERS);
  const depth = random(2, oneOf(random, [8, 200, 12_000]));
  const closer = random(0, 1) === 0 ? "" : (CLOSERS[opener] ?? "");
  const core = closer === "" ? "" : "1";
  return encoder.encode(opener.repeat(depth) + core + closer.repeat(depth));
}
