import { LstmError } from "../lstm-error.js";

/** @throws {LstmError} `invalidBatch` unless `length` is a number of whole steps of rows × `size`. */
export function checkRows(
  whose: string,
  name: string,
  length: number,
  [numRows, size]: readonly [numRows: number, size: number],
): void {
  if (!(Number.isSafeInteger(numRows) && numRows >= 0)) {
    throw invalid(whose, `numRows is ${numRows}; it must be a whole number from 0`);
  }
  if (numRows === 0 ? length === 0 : length % (numRows * size) === 0) return;
  throw invalid(
    whose,
    `${name} has ${length} values; it must have a multiple of ${numRows} rows × ${size}`,
  );
}

/** @throws {LstmError} `invalidBatch` unless the array has `count` × `size` values. */
export function checkLength(
  whose: string,
  name: string,
  { length }: Float32Array | Int32Array,
  [count, what, size]: readonly [count: number, what: string, size: number],
): void {
  if (length === count * size) return;
  throw invalid(whose, `${name} has ${length} values; it must have ${count} ${what} × ${size}`);
}

/** @throws {LstmError} `invalidBatch` for a weight that is negative or not finite. */
export function checkWeight(whose: string, weight: number, placeOf: () => string): void {
  if (weight >= 0 && weight < Infinity) return;
  throw invalid(whose, `the weight ${placeOf()} is ${weight}; it must be a finite number from 0`);
}

/** @param whose such as `huber loss` */
export const invalid = (whose: string, what: string): LstmError =>
  new LstmError("invalidBatch", `${whose}: ${what}`);
