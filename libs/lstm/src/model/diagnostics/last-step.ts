import { LstmError } from "../../lstm-error.js";
import type { SequenceModelSpec } from "../../spec/index.js";
import type { PairBatch } from "../encoder-decoder/index.js";
import type { TokenBatch } from "../language-model/index.js";
import type { SequenceBatch } from "../sequence-model/index.js";

/** The same batch with a loss at the last position of the segment alone. */
export function tokensLastStep(batch: TokenBatch): TokenBatch {
  const { numSteps, numRows } = batch;
  const weights = new Float32Array(numSteps * numRows);
  return { ...batch, weights: weights.fill(1, (numSteps - 1) * numRows) };
}

/**
 * The same batch with a loss at each row's last step alone.
 *
 * @throws LstmError `invalidBatch` for CTC, whose loss is of a sequence as a whole
 */
export function sequenceLastStep(
  { output, loss }: Pick<SequenceModelSpec, "output" | "loss">,
  batch: SequenceBatch,
): SequenceBatch {
  if (loss.kind === "ctc") {
    throw new LstmError(
      "invalidBatch",
      "the loss 'ctc' is of a whole sequence: there is none of its last step alone",
    );
  }
  const { numSteps, numRows, lengths } = batch;
  if (output === "lastStep") return { ...batch, weights: new Float32Array(numRows).fill(1) };
  const weights = new Float32Array(numSteps * numRows);
  for (let row = 0; row < numRows; row++) {
    weights[((lengths?.[row] ?? numSteps) - 1) * numRows + row] = 1;
  }
  return { ...batch, weights };
}

/**
 * The same batch with a loss at the last position of each target alone: at its end, which the decoder gives
 * after it has read the whole target.
 */
export function pairsLastStep(batch: PairBatch): PairBatch {
  const { numSteps, lengths } = batch.target;
  const numRows = lengths.length;
  const positionWeights = new Float32Array((numSteps + 1) * numRows);
  for (const [row, length] of lengths.entries()) positionWeights[length * numRows + row] = 1;
  return { ...batch, weights: undefined, positionWeights };
}
