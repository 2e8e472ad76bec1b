import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DataError } from "../data-error.js";
import { decodeText } from "./decode-text.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("decodeText", () => {
  it("reads CRLF and lone CR as line feeds and says so", () => {
    expect(decodeText(utf8("a\r\nb\rc\n\r\n"), "f")).toEqual({
      text: "a\nb\nc\n\n",
      droppedByteOrderMark: false,
      replacedCarriageReturns: true,
    });
  });

  it("drops one byte-order mark at the start and says so", () => {
    expect(decodeText(utf8("\uFEFF\uFEFFa\uFEFF"), "f")).toEqual({
      text: "\uFEFFa\uFEFF",
      droppedByteOrderMark: true,
      replacedCarriageReturns: false,
    });
  });

  it("refuses an empty file, also one that holds a byte-order mark alone", () => {
    for (const bytes of [utf8(""), utf8("\uFEFF")]) {
      expect(() => decodeText(bytes, "book.txt")).toThrow(
        expect.objectContaining({
          code: "emptyFile",
          message: expect.stringContaining("book.txt"),
        }),
      );
    }
  });

  it("names the file, the byte and its offset when the bytes are not UTF-8", () => {
    const bytes = Uint8Array.from([...utf8("caf"), 0xe9, ...utf8("s")]);
    expect(() => decodeText(bytes, "menu.txt")).toThrow(
      expect.objectContaining({
        code: "invalidUtf8",
        message: '"menu.txt" is not UTF-8: byte 0xE9 at offset 3',
        details: { file: "menu.txt", offset: 3 },
      }),
    );
  });

  it("recognizes UTF-16 and says what to do", () => {
    const bytes = Uint8Array.from([0xff, 0xfe, 0x61, 0x00]);
    expect(() => decodeText(bytes, "f")).toThrow(
      /offset 0; it looks like UTF-16, save it as UTF-8/,
    );
  });

  it("gives the text or a DataError for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 16 }), (bytes) => {
        try {
          const { text } = decodeText(bytes, "f");
          const marked = Buffer.from(bytes).toString("utf8");
          expect(text).toBe(marked.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n"));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
