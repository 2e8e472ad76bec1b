/**
 * Fails unless every array has as many values as the first, and any two of them are the same values or have
 * none in common.
 *
 * The loops of this room trust their lengths, and a typed array ignores writes past its end and reads
 * there as NaN: without this check a wrong length is a wrong result. So are arrays that overlap in part,
 * where a value may be read before or after it is written, as a loop takes one or many at a time.
 *
 * @param arrays each with the name that the message gives it
 * @throws {RangeError} naming the array, its length and the one it must have; or the two that overlap
 */
export function requireAligned(arrays: Readonly<Record<string, Float32Array>>): void {
  const entries = Object.entries(arrays);
  for (const [n, [name, array]] of entries.entries()) {
    const [firstName, first] = entries[0]!;
    if (array.length !== first.length) {
      throw new RangeError(
        `${name} has ${array.length} values; it must have as many as ${firstName}: ${first.length}`,
      );
    }
    for (let other = 0; other < n; other++) {
      const [otherName, values] = entries[other]!;
      if (!overlapInPart(array, values)) continue;
      throw new RangeError(
        `${name} and ${otherName} overlap in part; they must be the same values or apart`,
      );
    }
  }
}

/** Of arrays that are equally long. */
function overlapInPart(left: Float32Array, right: Float32Array): boolean {
  if (left === right || left.buffer !== right.buffer) return false;
  const distance = Math.abs(left.byteOffset - right.byteOffset);
  return distance > 0 && distance < left.byteLength;
}

/** @throws {RangeError} for values that are no whole number of rows */
export function requireRows(numValues: number, numColumns: number): void {
  if (numColumns > 0 && numValues % numColumns === 0) return;
  throw new RangeError(`${numValues} values are no rows of ${numColumns} columns`);
}
