import { isUtf8 } from "node:buffer";

/**
 * The offset of the first byte that does not begin a well-formed UTF-8 sequence; -1 if all are
 * well-formed. The bytes before it are well-formed by themselves, as with Python's
 * `UnicodeDecodeError.start`.
 */
export function firstInvalidByte(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return -1;
  let offset = 0;
  for (;;) {
    const length = sequenceLength(bytes, offset);
    if (length === 0) return offset;
    offset += length;
  }
}

/** UTF-16 units of the string that these bytes, well-formed UTF-8, stand for. */
export function utf16Length(bytes: Uint8Array): number {
  let numUnits = 0;
  for (const byte of bytes) {
    // A code point is counted at its first byte: two units from U+10000 on, where it has four bytes.
    if (byte < 0x80 || byte > 0xbf) numUnits += byte < 0xf0 ? 1 : 2;
  }
  return numUnits;
}

/** Bytes of the well-formed sequence at `offset` (Unicode 15, table 3-7); 0 if there is none. */
function sequenceLength(bytes: Uint8Array, offset: number): number {
  const lead = bytes[offset];
  if (lead === undefined) return 0;
  if (lead <= 0x7f) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF.
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (!isBetween(bytes[offset + 1], lowest, highest)) return 0;
  for (let i = 2; i < length; i++) {
    if (!isBetween(bytes[offset + i], 0x80, 0xbf)) return 0;
  }
  return length;
}

function isBetween(byte: number | undefined, lowest: number, highest: number): boolean {
  return byte !== undefined && byte >= lowest && byte <= highest;
}
