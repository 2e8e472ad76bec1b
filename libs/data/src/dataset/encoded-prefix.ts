import { DataError } from "../data-error.js";

/*
 * How every encoded data set begins:
 *
 *   8 bytes   magic 'ostidata'
 *   uint32    version, 1
 *   uint32    bytes of the header
 *   header    JSON, UTF-8, whose "kind" says what follows
 *
 * Integers are little-endian.
 */
const MAGIC = "ostidata";
const VERSION = 1;
const PREFIX_BYTES = MAGIC.length + 8;

/** Bytes with the prefix and header filled in, and where the rest begins. */
export interface BegunEncoding {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly offset: number;
}

/** @param contentBytes bytes that follow the header */
export function beginEncoding(header: Uint8Array, contentBytes: number): BegunEncoding {
  const bytes = new Uint8Array(PREFIX_BYTES + header.length + contentBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(MAGIC.length, VERSION, true);
  view.setUint32(MAGIC.length + 4, header.length, true);
  bytes.set(header, PREFIX_BYTES);
  return { bytes, view, offset: PREFIX_BYTES + header.length };
}

/** A header that was read: what it says, and its bytes. */
export interface DecodedHeader {
  readonly raw: unknown;
  readonly header: Uint8Array;
  /** Where the rest begins. */
  readonly offset: number;
}

/**
 * Checks magic, version and size, and parses the header.
 *
 * @throws DataError 'corruptDataset'
 */
export function decodeHeader(bytes: Uint8Array, maxHeaderBytes: number): DecodedHeader {
  if (bytes.length < PREFIX_BYTES) {
    throw corrupt(`${bytes.length} bytes are fewer than the ${PREFIX_BYTES} of its start`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw corrupt(`it starts with ${JSON.stringify(magic)}, not '${MAGIC}'`);
  const version = view.getUint32(MAGIC.length, true);
  if (version !== VERSION) throw corrupt(`its version is ${version}, not ${VERSION}`);
  const headerBytes = view.getUint32(MAGIC.length + 4, true);
  const allowed = Math.min(maxHeaderBytes, bytes.length - PREFIX_BYTES);
  if (headerBytes > allowed) {
    throw corrupt(`its header claims ${headerBytes} bytes; at most ${allowed} are possible`);
  }
  const offset = PREFIX_BYTES + headerBytes;
  const header = bytes.subarray(PREFIX_BYTES, offset);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
    return { raw: JSON.parse(text), header, offset };
  } catch (error) {
    throw corrupt("its header is not JSON", error);
  }
}

export function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null;
}

export function corrupt(reason: string, cause?: unknown): DataError {
  return new DataError("corruptDataset", `not an encoded data set: ${reason}`, {}, { cause });
}
