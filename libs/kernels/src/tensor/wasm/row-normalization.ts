/** Layer normalization of one row on the heap; sums in float64, in ascending order of the columns. */

/**
 * Writes (row − mean) / √(variance + epsilon) of the `size` numbers from `first` on.
 *
 * @returns 1 / √(variance + epsilon)
 */
export function normalizeRow(
  rows: Float32Array,
  normalized: Float32Array,
  first: number,
  size: number,
  epsilon: number,
): number {
  const end = first + size;
  let sum = 0;
  for (let k = first; k < end; k++) sum += rows[k]!;
  const mean = sum / size;
  let squares = 0;
  for (let k = first; k < end; k++) {
    const centered = rows[k]! - mean;
    squares += centered * centered;
  }
  const inverseDeviation = 1 / Math.sqrt(squares / size + epsilon);
  for (let k = first; k < end; k++) normalized[k] = (rows[k]! - mean) * inverseDeviation;
  return inverseDeviation;
}

/**
 * Writes the gradient of the `size` numbers from `first` on, of their gradient after normalization
 * and gain, which may be the array that is written.
 */
export function normalizedRowGradient(
  gradient: Float32Array,
  gain: Float32Array | undefined,
  normalized: Float32Array,
  inverseDeviation: number,
  rowGradient: Float32Array,
  first: number,
  size: number,
): void {
  let sum = 0;
  let slopes = 0;
  for (let j = 0; j < size; j++) {
    const scaled = gradient[first + j]! * (gain === undefined ? 1 : gain[j]!);
    sum += scaled;
    slopes += scaled * normalized[first + j]!;
  }
  const [mean, slope] = [sum / size, slopes / size];
  for (let j = 0; j < size; j++) {
    const scaled = gradient[first + j]! * (gain === undefined ? 1 : gain[j]!);
    const centered = scaled - mean - normalized[first + j]! * slope;
    rowGradient[first + j] = centered * inverseDeviation;
  }
}
