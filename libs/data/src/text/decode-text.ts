import { DataError } from "../data-error.js";
import { firstInvalidByte } from "./utf8.js";

const BYTE_ORDER_MARK = "\uFEFF";

/** The text of one file and what was changed in it. */
export interface DecodedText {
  readonly text: string;
  readonly droppedByteOrderMark: boolean;
  readonly replacedCarriageReturns: boolean;
}

/**
 * Decodes a file: UTF-8 only, no byte-order mark, line ends as line feeds.
 *
 * @param file its name, for errors
 * @throws DataError 'emptyFile' | 'invalidUtf8'
 */
export function decodeText(bytes: Uint8Array, file: string): DecodedText {
  const offset = firstInvalidByte(bytes);
  if (offset !== -1) {
    const byte = (bytes[offset] ?? 0).toString(16).toUpperCase().padStart(2, "0");
    throw new DataError(
      "invalidUtf8",
      `${JSON.stringify(file)} is not UTF-8: byte 0x${byte} at offset ${offset}${hint(bytes)}`,
      { file, offset },
    );
  }
  const marked = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const droppedByteOrderMark = marked.startsWith(BYTE_ORDER_MARK);
  const text = droppedByteOrderMark ? marked.slice(BYTE_ORDER_MARK.length) : marked;
  if (text === "") {
    throw new DataError(
      "emptyFile",
      `${JSON.stringify(file)} is empty; a text needs at least one character`,
      { file },
    );
  }
  const replacedCarriageReturns = text.includes("\r");
  return {
    text: replacedCarriageReturns ? text.replaceAll(/\r\n?/g, "\n") : text,
    droppedByteOrderMark,
    replacedCarriageReturns,
  };
}

function hint(bytes: Uint8Array): string {
  const start = `${bytes[0]} ${bytes[1]}`;
  return start === "255 254" || start === "254 255"
    ? "; it looks like UTF-16, save it as UTF-8"
    : "";
}
