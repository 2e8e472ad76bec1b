/**
 * The safetensors format: 8 bytes with the length of the header (uint64, little-endian), the header as
 * JSON, then the tensors' bytes without holes. See the format section of
 * https://github.com/huggingface/safetensors.
 */

import { endianness } from "node:os";

import { z } from "zod";

import { RunError } from "../errors/index.js";

/** Bytes of one value, by type as the header names it. */
const BYTES_OF = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

export type TensorType = keyof typeof BYTES_OF;

export interface FloatTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major, as many as the shape says; stored as F32 or F64. */
  readonly values: Float32Array | Float64Array;
}

export interface StoredTensor {
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** A view of the file's bytes, little-endian. */
  readonly bytes: Uint8Array;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
/** The header starts its tensors at a multiple of this. */
const ALIGNMENT = 8;
/** As in the reference implementation: no file makes its reader parse more than this. */
const MAX_HEADER_BYTES = 100_000_000;

/** The values' bytes as files hold them; a view where the machine has the same order, else a copy. */
export function littleEndianBytes(values: Float32Array | Float64Array): Uint8Array {
  const view = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return endianness() === "LE" ? view : swapped(Buffer.from(view), values.BYTES_PER_ELEMENT);
}

function swapped(bytes: Buffer, valueBytes: number): Buffer {
  return valueBytes === Float64Array.BYTES_PER_ELEMENT ? bytes.swap64() : bytes.swap32();
}

/**
 * Encodes float32 and float64 tensors, in the order given.
 *
 * @param allocate gives exactly so many bytes to write the file to, with any content; new memory unless given
 * @throws RunError 'tensorsCorrupt' for a name given twice or a shape that its values do not fill
 */
export function encodeSafetensors(
  tensors: readonly FloatTensor[],
  metadata: Readonly<Record<string, string>> = {},
  allocate: (numBytes: number) => Uint8Array = (numBytes) => Buffer.alloc(numBytes),
): Uint8Array {
  const header = new Map<string, unknown>([["__metadata__", metadata]]);
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    if (header.has(name)) throw corrupt(`two tensors are named ${name}`);
    if (sizeOf(shape) !== values.length) {
      throw corrupt(`${name} has ${values.length} values, its shape [${shape.join(", ")}] others`);
    }
    const end = offset + values.byteLength;
    const dtype = values instanceof Float64Array ? "F64" : "F32";
    header.set(name, { dtype, shape, data_offsets: [offset, end] });
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const start = LENGTH_BYTES + headerBytes;
  const allocated = allocate(start + offset);
  const bytes = Buffer.from(allocated.buffer, allocated.byteOffset, allocated.byteLength);
  bytes.writeBigUInt64LE(BigInt(headerBytes));
  bytes.fill(" ", LENGTH_BYTES, start);
  json.copy(bytes, LENGTH_BYTES);
  let position = start;
  for (const { values } of tensors) {
    bytes.set(littleEndianBytes(values), position);
    position += values.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file; whatever the bytes are, either all of them are accounted for or it throws.
 *
 * @throws RunError 'tensorsCorrupt'
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, start } = decodeHeader(bytes);
  const { __metadata__: rawMetadata, ...entries } = header;
  const metadata = metadataSchema.safeParse(rawMetadata);
  if (!metadata.success) throw corrupt("__metadata__ is no table of strings");
  const tensors = new Map<string, StoredTensor>();
  const ranges: { readonly name: string; readonly begin: number; readonly end: number }[] = [];
  for (const [name, raw] of Object.entries(entries)) {
    const entry = entrySchema.safeParse(raw);
    if (!entry.success) throw corrupt(`the entry of ${name} has no dtype, shape and data_offsets`);
    const { dtype: type, shape, data_offsets } = entry.data;
    const [begin, end] = data_offsets;
    if (end - begin !== sizeOf(shape) * BYTES_OF[type]) {
      throw corrupt(`${name} has ${end - begin} bytes, not those of ${type} [${shape.join(", ")}]`);
    }
    tensors.set(name, { type, shape, bytes: bytes.subarray(start + begin, start + end) });
    ranges.push({ name, begin, end });
  }
  requireNoHoles(ranges, bytes.length - start);
  return { tensors, metadata: metadata.data };
}

/**
 * The values of a float32 tensor, copied.
 *
 * @throws RunError 'tensorsCorrupt' if the file has no such tensor, or one of another type or shape
 */
export function readFloats(
  file: SafetensorsFile,
  name: string,
  shape?: readonly number[],
): Float32Array {
  return new Float32Array(valuesOf(file, name, "F32", shape));
}

/**
 * The values of a float64 tensor, copied.
 *
 * @throws RunError 'tensorsCorrupt' as `readFloats` does
 */
export function readDoubles(
  file: SafetensorsFile,
  name: string,
  shape?: readonly number[],
): Float64Array {
  return new Float64Array(valuesOf(file, name, "F64", shape));
}

/** A copy of a tensor's bytes, in this machine's order. */
function valuesOf(
  file: SafetensorsFile,
  name: string,
  type: "F32" | "F64",
  shape: readonly number[] | undefined,
): ArrayBuffer {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw corrupt(`there is no tensor ${name}`);
  if (tensor.type !== type) throw corrupt(`${name} is of type ${tensor.type}, not ${type}`);
  if (shape !== undefined && shape.join() !== tensor.shape.join()) {
    throw corrupt(`${name} has shape [${tensor.shape.join(", ")}], not [${shape.join(", ")}]`);
  }
  const copy = new ArrayBuffer(tensor.bytes.length);
  const bytes = Buffer.from(copy);
  bytes.set(tensor.bytes);
  if (endianness() === "BE") swapped(bytes, BYTES_OF[type]);
  return copy;
}

const whole = z.int().nonnegative();
const metadataSchema = z.record(z.string(), z.string()).default({});
const headerSchema = z.looseObject({});
const entrySchema = z.strictObject({
  dtype: z.enum(Object.keys(BYTES_OF) as TensorType[]),
  shape: z.array(whole),
  data_offsets: z.tuple([whole, whole]),
});

function decodeHeader(bytes: Uint8Array): {
  readonly header: Readonly<Record<string, unknown>>;
  readonly start: number;
} {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < LENGTH_BYTES) throw corrupt(`${view.length} bytes do not hold a length`);
  const allowed = Math.min(MAX_HEADER_BYTES, view.length - LENGTH_BYTES);
  const claimed = view.readBigUInt64LE();
  if (claimed > allowed) throw corrupt(`a header of ${claimed} bytes; at most ${allowed} can be`);
  const start = LENGTH_BYTES + Number(claimed);
  let raw: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    raw = JSON.parse(text.decode(view.subarray(LENGTH_BYTES, start)));
  } catch (error) {
    throw corrupt("the header is not JSON", error);
  }
  const header = headerSchema.safeParse(raw);
  if (!header.success || view[LENGTH_BYTES] !== "{".charCodeAt(0)) {
    throw corrupt("the header is no JSON object");
  }
  return { header: header.data, start };
}

/** The ranges, one after the other, cover the data exactly. */
function requireNoHoles(
  ranges: readonly { readonly name: string; readonly begin: number; readonly end: number }[],
  dataBytes: number,
): void {
  let covered = 0;
  for (const { name, begin, end } of ranges.toSorted(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin !== covered) {
      throw corrupt(`${name} begins at byte ${begin} of the data, not at ${covered}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw corrupt(`the tensors have ${covered} bytes, the file has ${dataBytes} for them`);
  }
}

/** Number of values of a shape; 1 for a scalar's. */
function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

function corrupt(reason: string, cause?: unknown): RunError {
  return new RunError("tensorsCorrupt", `not the safetensors file that it should be: ${reason}`, {
    cause,
  });
}
