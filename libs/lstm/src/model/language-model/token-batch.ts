import { LstmError } from "../../lstm-error.js";
import { checkLeaves, isCount } from "../batch-leaves.js";
import type { BatchLeaf } from "../batch-leaves.js";

/**
 * One segment of consecutive tokens for each row. All arrays are [numSteps, numRows] row-major; the
 * leaves follow each other and cover all rows.
 */
export interface TokenBatch {
  readonly numSteps: number;
  readonly numRows: number;
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  /** 1 where a position counts, 0 where it is masked. */
  readonly weights: Float32Array;
  readonly leaves: readonly BatchLeaf[];
}

/**
 * @throws LstmError `invalidBatch`: a size that does not fit, a token outside the vocabulary, a weight
 *   that is negative or not finite, leaves that do not cover the rows, or a carried state of another
 *   length.
 */
export function checkTokenBatch(
  batch: TokenBatch,
  states: readonly Float32Array[],
  vocabularySize: number,
  stateValuesPerRow: number,
): void {
  const { numSteps, numRows, leaves } = batch;
  if (!(isCount(numSteps) && numSteps > 0)) {
    throw invalid(`numSteps is ${numSteps}, expected a whole number from 1`);
  }
  if (!isCount(numRows)) throw invalid(`numRows is ${numRows}, expected a whole number from 0`);
  for (const name of ["inputs", "targets", "weights"] as const) {
    const { length } = batch[name];
    if (length !== numSteps * numRows) {
      throw invalid(`${name} has ${length} values, expected ${numSteps} steps × ${numRows} rows`);
    }
  }
  checkTokens("inputs", batch.inputs, vocabularySize);
  checkTokens("targets", batch.targets, vocabularySize);
  const wrong = batch.weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong !== -1) {
    throw invalid(`weights[${wrong}] is ${batch.weights[wrong]}, expected a number from 0`);
  }
  if (states.length !== leaves.length) {
    throw invalid(`${states.length} carried states for ${leaves.length} leaves`);
  }
  checkLeaves("token batch", leaves, numRows);
  for (const [index, { leaf, numRows: rowsOfLeaf }] of leaves.entries()) {
    checkState(`of leaf ${leaf}`, states[index]!, rowsOfLeaf, stateValuesPerRow);
  }
}

/** @throws LstmError `invalidBatch` naming the first token outside the vocabulary. */
export function checkTokens(name: string, tokens: Int32Array, vocabularySize: number): void {
  for (let n = 0; n < tokens.length; n++) {
    const token = tokens[n]!;
    if (token < 0 || token >= vocabularySize) {
      throw invalid(`${name}[${n}] is token ${token}, allowed are 0 to ${vocabularySize - 1}`);
    }
  }
}

/** @throws LstmError `invalidBatch` when the carried state is of another model or number of rows. */
export function checkState(
  whose: string,
  state: Float32Array,
  numRows: number,
  valuesPerRow: number,
): void {
  if (state.length === numRows * valuesPerRow) return;
  throw invalid(
    `carried state ${whose} has ${state.length} values, expected ${numRows} rows × ${valuesPerRow}`,
  );
}

function invalid(what: string): LstmError {
  return new LstmError("invalidBatch", `token batch: ${what}`);
}
