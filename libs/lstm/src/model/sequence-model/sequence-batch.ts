import { LstmError } from "../../lstm-error.js";
import type { SequenceModelSpec } from "../../spec/index.js";
import { checkLeaves, isCount } from "../batch-leaves.js";
import type { BatchLeaf } from "../batch-leaves.js";

/** What a sequence model reads. */
export interface SequenceInputs {
  /** T */
  readonly numSteps: number;
  /** B */
  readonly numRows: number;
  /** [T,B,I] values or [T,B] token ids, time-major. What lies in the padding is never read. */
  readonly inputs: Float32Array | Int32Array;
  /** [B]: steps of each row, from 1 to T; left out when every row has all of them. */
  readonly lengths?: Int32Array | undefined;
}

/** Whole sequences with their targets. */
export interface SequenceBatch extends SequenceInputs {
  /** They follow each other and cover all rows. */
  readonly leaves: readonly BatchLeaf[];
  /**
   * Values [T,B,K] or classes [T,B] of every step, [B,K] or [B] of the last one; for CTC label sequences
   * [B,S]. As a float32 or int32 array.
   */
  readonly targets: Float32Array | Int32Array;
  /** [B]: labels of each row's sequence; for CTC. */
  readonly targetLengths?: Int32Array | undefined;
  /** [T,B] for outputs of every step, else [B]; 1 where left out. The padding counts for nothing. */
  readonly weights?: Float32Array | undefined;
}

/** @throws LstmError `invalidBatch` naming what does not fit and what would */
export function checkSequenceInputs(spec: SequenceModelSpec, batch: SequenceInputs): void {
  const { numSteps, numRows, inputs, lengths } = batch;
  if (!(isCount(numSteps) && numSteps > 0)) {
    throw invalid(`numSteps is ${numSteps}, expected a whole number from 1`);
  }
  if (!isCount(numRows)) throw invalid(`numRows is ${numRows}, expected a whole number from 0`);
  if (lengths !== undefined) checkLengths(lengths, numSteps, numRows);
  const isTokens = spec.input.kind === "tokens";
  const expected = isTokens ? "token ids in an Int32Array" : "values in a Float32Array";
  if (inputs instanceof Int32Array !== isTokens) {
    throw invalid(`inputs are a ${inputs.constructor.name}, expected ${expected}`);
  }
  const width = spec.input.kind === "tokens" ? 1 : spec.input.size;
  if (inputs.length !== numSteps * numRows * width) {
    const each = isTokens ? "" : ` × ${width} values`;
    throw invalid(
      `inputs has ${inputs.length} values, expected ${numSteps} steps × ${numRows} rows${each}`,
    );
  }
}

/** @throws LstmError `invalidBatch` naming what does not fit and what would */
export function checkSequenceBatch(spec: SequenceModelSpec, batch: SequenceBatch): void {
  checkSequenceInputs(spec, batch);
  checkLeaves("sequence batch", batch.leaves, batch.numRows);
  const { numSteps, numRows, weights } = batch;
  if (weights === undefined) return;
  const isEveryStep = spec.output === "everyStep" && spec.loss.kind !== "ctc";
  const expected = isEveryStep ? numSteps * numRows : numRows;
  if (weights.length !== expected) {
    const shape = isEveryStep ? `${numSteps} steps × ${numRows} rows` : `${numRows} rows`;
    throw invalid(`weights has ${weights.length} values, expected ${shape}`);
  }
}

/**
 * The inputs with zeros (or token 0) in the padding, so that nothing of it is read.
 *
 * @throws LstmError `invalidBatch` naming step, row and value of the first that is no finite number or
 *   no token
 */
export function readInputs(
  spec: SequenceModelSpec,
  { numSteps, numRows, inputs, lengths }: SequenceInputs,
): Float32Array | Int32Array {
  const read = inputs.slice();
  const width = numRows === 0 ? 0 : read.length / (numSteps * numRows);
  for (let t = 0; t < numSteps; t++) {
    for (let row = 0; row < numRows; row++) {
      if (lengths === undefined || t < lengths[row]!) continue;
      const start = (t * numRows + row) * width;
      read.fill(0, start, start + width);
    }
  }
  const { input } = spec;
  const bad =
    input.kind === "tokens"
      ? read.findIndex((token) => token < 0 || token >= input.vocabularySize)
      : read.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return read;
  const position = Math.floor(bad / width);
  const place = `inputs of step ${Math.floor(position / numRows)}, row ${position % numRows}`;
  throw invalid(
    input.kind === "tokens"
      ? `${place} is token ${read[bad]}, allowed are 0 to ${input.vocabularySize - 1}`
      : `${place}, value ${bad % width} is ${read[bad]}, expected a finite number`,
  );
}

function checkLengths(lengths: Int32Array, numSteps: number, numRows: number): void {
  if (lengths.length !== numRows) {
    throw invalid(`lengths has ${lengths.length} values, expected ${numRows} rows`);
  }
  const bad = lengths.findIndex((length) => length < 1 || length > numSteps);
  if (bad === -1) return;
  throw invalid(
    `lengths[${bad}] is ${lengths[bad]}, expected a whole number from 1 to ${numSteps}`,
  );
}

const invalid = (what: string): LstmError =>
  new LstmError("invalidBatch", `sequence batch: ${what}`);
