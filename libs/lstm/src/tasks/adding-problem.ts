import { LstmError } from "../lstm-error.js";
import { drawsOfRow } from "./drawn-rows.js";
import type { DrawnRows } from "./drawn-rows.js";

/**
 * The adding problem (Hochreiter and Schmidhuber, 1997; in the form of Le et al., 2015): each step has a
 * number from 0 to below 1 and a mark that is 1 at one step of the first half and at one of the second;
 * the target is the sum of the two marked numbers. Who always answers 1 has a mean squared error of 1/6.
 *
 * @param options `length`: T, from 2.
 * @returns for a sequence model of two input values, one target, the last step's output
 * @throws {LstmError} `invalidBatch` for a length below 2
 */
export function addingProblem(options: DrawnRows & { readonly length: number }): {
  readonly numSteps: number;
  readonly numRows: number;
  /** [T,B,2] */
  readonly inputs: Float32Array;
  /** [B] */
  readonly targets: Float32Array;
} {
  const { length, numRows } = options;
  if (!(Number.isInteger(length) && length >= 2)) {
    throw new LstmError(
      "invalidBatch",
      `adding problem: length is ${length}, expected a whole number from 2`,
    );
  }
  const inputs = new Float32Array(length * numRows * 2);
  const targets = new Float32Array(numRows);
  const half = Math.floor(length / 2);
  for (let row = 0; row < numRows; row++) {
    const draw = drawsOfRow(options, row);
    for (let t = 0; t < length; t++) inputs[(t * numRows + row) * 2] = draw(t);
    const marked = [
      Math.floor(draw(length) * half),
      half + Math.floor(draw(length + 1) * (length - half)),
    ];
    let sum = 0;
    for (const t of marked) {
      inputs[(t * numRows + row) * 2 + 1] = 1;
      sum += inputs[(t * numRows + row) * 2] ?? 0;
    }
    targets[row] = sum;
  }
  return { numSteps: length, numRows, inputs, targets };
}
