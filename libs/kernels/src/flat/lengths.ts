/**
 * Fails unless every array has as many values as the first.
 *
 * The loops of this room trust their lengths, and a typed array ignores writes past its end and reads
 * there as NaN: without this check a wrong length is a wrong result.
 *
 * @param arrays each with the name that the message gives it
 * @throws {RangeError} naming the array, its length and the one it must have
 */
export function requireEqualLengths(arrays: Readonly<Record<string, Float32Array>>): void {
  let first: { readonly name: string; readonly length: number } | undefined;
  for (const [name, { length }] of Object.entries(arrays)) {
    first ??= { name, length };
    if (length !== first.length) {
      throw new RangeError(
        `${name} has ${length} values; it must have as many as ${first.name}: ${first.length}`,
      );
    }
  }
}

/** @throws {RangeError} for values that are no whole number of rows */
export function requireRows(numValues: number, numColumns: number): void {
  if (numColumns > 0 && numValues % numColumns === 0) return;
  throw new RangeError(`${numValues} values are no rows of ${numColumns} columns`);
}
