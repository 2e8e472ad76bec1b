/** Parameters of Zaremba's small model, as float32: 18.6 MB. */
export const NUM_VALUES = 4_651_600;
export const QUICK_NUM_VALUES = 400_000;
export const VALUE_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** How much goes down, and then up. */
export interface TransportCase {
  readonly numValues: number;
}
