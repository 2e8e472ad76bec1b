/** Float32 values whose lower halves are zeros, as their upper halves: nothing is rounded here. */

const LOWER_HALF = 0xffff;
const HALF_BITS = 16;

/** Whether each value is a bfloat16 as it stands, -0, infinities and NaNs included. */
export function areBfloat16(values: Float32Array): boolean {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  // By index: iterating takes several times as long.
  for (let i = 0; i < bits.length; i++) if (((bits[i] ?? 0) & LOWER_HALF) !== 0) return false;
  return true;
}

/** The upper halves; `values` must be bfloat16, see {@link areBfloat16}. */
export function upperHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) halves[i] = (bits[i] ?? 0) >>> HALF_BITS;
  return halves;
}

/**
 * Writes the float32 values that have these upper halves.
 *
 * @param halves little-endian, two bytes a value, wherever they begin
 * @param into as many values
 */
export function widen(halves: Uint8Array, into: Float32Array): void {
  const bits = new Int32Array(into.buffer, into.byteOffset, into.length);
  const view = new DataView(halves.buffer, halves.byteOffset, halves.byteLength);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = view.getUint16(i * Uint16Array.BYTES_PER_ELEMENT, true) << HALF_BITS;
  }
}
