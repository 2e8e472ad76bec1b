import { LstmError } from "../../lstm-error.js";
import { checkLength, checkRows, invalid } from "../call-checks.js";
import { logProbabilitiesOf } from "./alignments.js";

export interface CtcDecodeRequest {
  /** [steps, rows, numLabels]: logits. */
  readonly outputs: Float32Array;
  readonly numRows: number;
  /** The blank among them. */
  readonly numLabels: number;
  /** [rows]: how many steps of a row are read. */
  readonly inputLengths: Int32Array;
  /** 0 if not given. */
  readonly blankIndex?: number;
}

export interface CtcHypothesis {
  /** Without blanks and repetitions. */
  readonly labels: readonly number[];
  /** In nats. */
  readonly logProbability: number;
}

export interface DecodedRow {
  readonly numSteps: number;
  /** [steps, labels]. */
  readonly logProbabilities: Float64Array;
}

const WHOSE = "ctc decoding";

/**
 * @throws {LstmError} `invalidBatch` for arrays that do not fit together, `invalidSampling` for outputs
 *   that are no logits
 */
export function rowsToDecode(request: CtcDecodeRequest): readonly DecodedRow[] {
  const { outputs, numRows, numLabels, inputLengths, blankIndex = 0 } = request;
  if (!(Number.isSafeInteger(numLabels) && numLabels > 0)) {
    throw invalid(WHOSE, `numLabels is ${numLabels}; it must be a whole number from 1`);
  }
  if (!(Number.isSafeInteger(blankIndex) && blankIndex >= 0 && blankIndex < numLabels)) {
    throw invalid(
      WHOSE,
      `blankIndex is ${blankIndex}; it must be a label from 0 to ${numLabels - 1}`,
    );
  }
  checkRows(WHOSE, "outputs", outputs.length, [numRows, numLabels]);
  checkLength(WHOSE, "inputLengths", inputLengths, [numRows, "rows", 1]);
  const maxSteps = outputs.length / numLabels / numRows;
  return Array.from(inputLengths, (numSteps, row) => {
    if (!(numSteps >= 0 && numSteps <= maxSteps)) {
      throw invalid(WHOSE, `row ${row} has ${numSteps} steps; it must have from 0 to ${maxSteps}`);
    }
    const logProbabilities = logProbabilitiesOf({ outputs, numRows, row, numSteps, numLabels });
    const wrong = logProbabilities.findIndex(Number.isNaN);
    if (wrong !== -1) {
      throw new LstmError(
        "invalidSampling",
        `${WHOSE}: the outputs at step ${Math.floor(wrong / numLabels)}, row ${row} are no logits; ` +
          "they must be numbers below Infinity, one of them above -Infinity",
      );
    }
    return { numSteps, logProbabilities };
  });
}
