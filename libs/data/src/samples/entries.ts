import { corrupt } from "../dataset/index.js";

/** Every entry is a little-endian uint32, int32 or float32. */
export const ENTRY_BYTES = 4;

type NumberArray = Uint32Array | Int32Array | Float32Array;

/** Writes arrays one after the other. */
export function writeEntries(view: DataView, start: number, parts: readonly NumberArray[]): void {
  let offset = start;
  for (const part of parts) {
    const isFloat = part instanceof Float32Array;
    for (const value of part) {
      if (isFloat) view.setFloat32(offset, value, true);
      else view.setInt32(offset, value, true);
      offset += ENTRY_BYTES;
    }
  }
}

/** The bytes of arrays, one after the other. */
export function littleEndian(parts: readonly NumberArray[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  writeEntries(new DataView(bytes.buffer), 0, parts);
  return bytes;
}

/** Reads entries as far as there are bytes. Throws DataError 'corruptDataset'. */
export class EntryReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = offset;
  }

  counts(length: number): Uint32Array {
    this.#require(length);
    const values = new Uint32Array(length);
    for (let i = 0; i < length; i++) values[i] = this.#view.getUint32(this.#next(), true);
    return values;
  }

  floats(length: number): Float32Array {
    this.#require(length);
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) values[i] = this.#view.getFloat32(this.#next(), true);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) throw corrupt(`value ${bad} is ${values[bad]}, not a finite number`);
    return values;
  }

  /** @param noun what the samples are, in messages */
  weights(length: number, noun: string): Float32Array {
    const weights = this.floats(length);
    const bad = weights.findIndex((weight) => !(weight > 0));
    if (bad !== -1) throw corrupt(`the weight of ${noun} ${bad} is ${weights[bad]}`);
    return weights;
  }

  /** @param ignored an id that is allowed besides those below `limit` */
  ids(length: number, what: string, limit: number, ignored: number | null = null): Int32Array {
    this.#require(length);
    const values = new Int32Array(length);
    for (let i = 0; i < length; i++) values[i] = this.#view.getInt32(this.#next(), true);
    const bad = values.findIndex((id) => (id < 0 || id >= limit) && id !== ignored);
    if (bad !== -1) throw corrupt(`${what} ${bad} is ${values[bad]}; ids are 0 to ${limit - 1}`);
    return values;
  }

  end(): void {
    const left = this.#bytes.length - this.#offset;
    if (left !== 0) throw corrupt(`${left} bytes follow its end`);
  }

  #require(length: number): void {
    const left = this.#bytes.length - this.#offset;
    if (length * ENTRY_BYTES <= left) return;
    throw corrupt(`${length} entries need ${length * ENTRY_BYTES} bytes, ${left} are left`);
  }

  #next(): number {
    const at = this.#offset;
    this.#offset += ENTRY_BYTES;
    return at;
  }
}

/** Whether a header's number may be a count of samples, or a number of ids. */
export function isSize(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= max;
}
