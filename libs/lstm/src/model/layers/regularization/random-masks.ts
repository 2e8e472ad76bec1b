/**
 * The random masks of a training step, drawn from the named streams of `random/`: those of activations for
 * each row of a leaf by itself, so that they do not depend on what else is in the batch; those of weights
 * once a step. Which number of which stream decides about which value is a contract: another choice
 * would change every run.
 *
 * A stream is named by (seed, step, purpose, layer), and for masks of activations by the leaf and by the
 * row within the leaf. Its numbers are counted from 0:
 *
 * | purpose          | layer                           | counter                                     |
 * |------------------|---------------------------------|---------------------------------------------|
 * | dropout          | m of the layer below            | t·C + c; locked: c                          |
 * | inputDropout     | s                               | the same                                    |
 * | outputDropout    | s                               | the same                                    |
 * | zoneout          | hidden 2·m, cell state 2·m + 1  | t·C + c                                     |
 * | weightDropout    | m; no leaf, no row              | row·G·H + column of the recurrent rows      |
 * | embeddingDropout | s; no leaf, no row              | token                                       |
 *
 * s is the stack's first number: 0, but of a decoder 131 072. m is the layer's number in its stack plus s, and
 * 65 536 more for the direction from last to first, whose t counts from the row's last step. C is the number
 * of units. A dropped value is 0, a kept one grows by 1 / (1 − rate), rounded to float32; zoneout keeps the
 * state before where the number, as a fraction from 0 to below 1, is below the rate.
 */
import { tensor2d, tensor3d } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { fillDropoutMask, fillUniform } from "../../../random/index.js";
import type { RandomKey } from "../../../random/index.js";
import type { Pass, TrainingKey } from "../../pass/index.js";

/** What a mask is for and which layer it belongs to. */
export type MaskName = Pick<RandomKey, "purpose" | "layer">;

/**
 * A dropout mask of activations.
 *
 * @param rate share of the values dropped; above 0.
 * @param isLocked one mask for all time steps of a row.
 * @returns [T,B,C], 0 or 1 / (1 − rate).
 */
export function activationMask(
  pass: Pass,
  training: TrainingKey,
  name: MaskName,
  shape: readonly [numSteps: number, numRows: number, numColumns: number],
  rate: number,
  isLocked: boolean,
): Tensor3D {
  const [numSteps, , numColumns] = shape;
  const drawnSteps = isLocked ? 1 : numSteps;
  return rowByRow(pass, training, name, shape, (key, ofRow) => {
    const drawn = ofRow.subarray(0, drawnSteps * numColumns);
    fillDropoutMask(key, 1 - rate, drawn);
    for (let t = drawnSteps; t < numSteps; t++) ofRow.set(drawn, t * numColumns);
  });
}

/**
 * What is kept from the step before in zoneout.
 *
 * @param rate chance of a value to be kept.
 * @returns [T,B,C]: 0 or 1 in training, the chance itself in evaluation.
 */
export function zoneoutMask(
  pass: Pass,
  name: MaskName,
  shape: readonly [numSteps: number, numRows: number, numColumns: number],
  rate: number,
): Tensor3D {
  const { training } = pass;
  if (training === undefined) {
    const [numSteps, numRows, numColumns] = shape;
    return tensor3d(new Float32Array(numSteps * numRows * numColumns).fill(rate), [...shape]);
  }
  return rowByRow(pass, training, name, shape, (key, ofRow) => {
    fillUniform(key, ofRow);
    for (const [k, draw] of ofRow.entries()) ofRow[k] = draw < rate ? 1 : 0;
  });
}

/**
 * A dropout mask of weights, the same for every leaf of the step.
 *
 * @returns the shape given, 0 or 1 / (1 − rate).
 */
export function weightMask(
  training: TrainingKey,
  name: MaskName,
  shape: readonly [rows: number, columns: number],
  rate: number,
): Tensor2D {
  const mask = new Float32Array(shape[0] * shape[1]);
  fillDropoutMask({ ...training, ...name }, 1 - rate, mask);
  return tensor2d(mask, [...shape]);
}

/** [T,B,C] from what `fill` writes for each row: [T,C]. */
function rowByRow(
  { leaves }: Pass,
  training: TrainingKey,
  name: MaskName,
  [numSteps, numRows, numColumns]: readonly [number, number, number],
  fill: (key: RandomKey, ofRow: Float32Array) => void,
): Tensor3D {
  const mask = new Float32Array(numSteps * numRows * numColumns);
  const ofRow = new Float32Array(numSteps * numColumns);
  for (const { leaf, firstRow, numRows: rowsOfLeaf } of leaves) {
    for (let row = 0; row < rowsOfLeaf; row++) {
      fill({ ...training, ...name, leaf, row }, ofRow);
      for (let t = 0; t < numSteps; t++) {
        const ofStep = ofRow.subarray(t * numColumns, (t + 1) * numColumns);
        mask.set(ofStep, (t * numRows + firstRow + row) * numColumns);
      }
    }
  }
  return tensor3d(mask, [numSteps, numRows, numColumns]);
}
