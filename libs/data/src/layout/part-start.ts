/** Parts that {@link partStart} can cut into: the square of this is counted exactly. */
export const MAX_PARTS = 2 ** 26;

/**
 * Where part `index` of `size` items cut into `numParts` begins: floor(index · size / numParts).
 *
 * With size = q · numParts + r that is index · q + floor(index · r / numParts), whose numbers stay small.
 * The plain product passes 2⁵³ for long texts in many rows, and floats above that have gaps.
 *
 * @param index 0 to numParts
 * @param size up to 2³²
 * @param numParts 1 to MAX_PARTS
 */
export function partStart(index: number, size: number, numParts: number): number {
  const remainder = size % numParts;
  const quotient = (size - remainder) / numParts;
  return index * quotient + Math.floor((index * remainder) / numParts);
}
