import { isUtf8 } from "node:buffer";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { firstInvalidByte, utf16Length } from "./utf8.js";

/** Bytes that are mostly text, with the lead and continuation bytes that break it. */
const nearlyUtf8 = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }).map((s) => Buffer.from(s)),
      fc.uint8Array({ minLength: 1, maxLength: 2 }),
      fc.constantFrom(...[0x80, 0xc0, 0xe0, 0xed, 0xf0, 0xf4, 0xff].map((b) => Buffer.from([b]))),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts)));

describe("firstInvalidByte", () => {
  // The offset is where CPython's bytes.decode('utf-8') reports UnicodeDecodeError.start.
  it.each([
    ["a byte that never occurs", [0x61, 0x62, 0xff], 2],
    ["a lone continuation byte", [0x61, 0x80], 1],
    ["Latin-1 é before a letter", [0x63, 0x61, 0x66, 0xe9, 0x73], 3],
    ["an overlong slash", [0xc0, 0xaf], 0],
    ["an overlong three-byte form", [0x61, 0xe0, 0x80, 0xaf], 1],
    ["a surrogate", [0x61, 0xed, 0xa0, 0x80], 1],
    ["a code point above U+10FFFF", [0xf4, 0x90, 0x80, 0x80], 0],
    ["a sequence cut short by the end", [0x61, 0xe2, 0x82], 1],
    ["a sequence cut short by a letter", [0xf0, 0x9f, 0x98, 0x61], 0],
  ])("finds %s", (_what, bytes, offset) => {
    expect(firstInvalidByte(Uint8Array.from(bytes))).toBe(offset);
  });

  it("accepts the least and the greatest code point of each length", () => {
    const text = "\u0000\u007F\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\u{10000}\u{10FFFF}";
    expect(firstInvalidByte(Buffer.from(text))).toBe(-1);
  });

  it("ends the longest well-formed prefix, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.oneof(nearlyUtf8, fc.uint8Array({ maxLength: 12 })), (bytes) => {
        const offset = firstInvalidByte(bytes);
        if (offset === -1) {
          expect(isUtf8(bytes)).toBe(true);
          return;
        }
        expect(isUtf8(bytes.subarray(0, offset))).toBe(true);
        for (let end = offset + 1; end <= bytes.length; end++) {
          expect(isUtf8(bytes.subarray(0, end))).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("utf16Length", () => {
  it("is the length of the decoded string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(utf16Length(Buffer.from(text))).toBe(text.length);
      }),
    );
  });
});
