import { LstmError } from "../lstm-error.js";
import { drawsOfRow } from "./drawn-rows.js";
import type { DrawnRows } from "./drawn-rows.js";

export interface CopyTaskOptions extends DrawnRows {
  /** Symbols to remember; 10 in the literature. */
  readonly numSymbols: number;
  /** Steps between the symbols and the sign to repeat them. */
  readonly delay: number;
  /** Symbols to draw from, numbered from 0; 8 in the literature. */
  readonly alphabetSize: number;
}

/** What a model for the task has: tokens in, classes out; the blank and the sign follow the symbols. */
export function copyTaskSizes({ alphabetSize }: Pick<CopyTaskOptions, "alphabetSize">): {
  readonly vocabularySize: number;
  readonly numTargets: number;
} {
  return { vocabularySize: alphabetSize + 2, numTargets: alphabetSize + 1 };
}

/**
 * The copy task (Hochreiter and Schmidhuber, 1997; in the form of Arjovsky et al., 2016): some symbols,
 * `delay` − 1 blanks, a sign, then blanks while the symbols are to be repeated. Before, the target is the
 * blank. Who remembers nothing comes to numSymbols·ln(alphabetSize) / (delay + 2·numSymbols) nats a step.
 *
 * @returns for a sequence model of tokens with the cross-entropy of every step; T = delay + 2·numSymbols
 * @throws {LstmError} `invalidBatch` naming the option, its value and what is allowed
 */
export function copyTask(options: CopyTaskOptions): {
  readonly numSteps: number;
  readonly numRows: number;
  /** [T,B] tokens */
  readonly inputs: Int32Array;
  /** [T,B] classes */
  readonly targets: Int32Array;
} {
  const { numSymbols, delay, alphabetSize, numRows } = options;
  for (const [name, value] of Object.entries({ numSymbols, delay, alphabetSize })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new LstmError(
      "invalidBatch",
      `copy task: ${name} is ${value}, expected a whole number from 1`,
    );
  }
  const [blank, sign] = [alphabetSize, alphabetSize + 1];
  const numSteps = delay + 2 * numSymbols;
  const inputs = new Int32Array(numSteps * numRows).fill(blank);
  const targets = new Int32Array(numSteps * numRows).fill(blank);
  for (let row = 0; row < numRows; row++) {
    const draw = drawsOfRow(options, row);
    for (let k = 0; k < numSymbols; k++) {
      const symbol = Math.floor(draw(k) * alphabetSize);
      inputs[k * numRows + row] = symbol;
      targets[(numSteps - numSymbols + k) * numRows + row] = symbol;
    }
    inputs[(numSymbols + delay - 1) * numRows + row] = sign;
  }
  return { numSteps, numRows, inputs, targets };
}
