import { checkLength, checkRows, checkWeight, invalid } from "../call-checks.js";
import type { LabelSequencesCall, LabelSequencesLoss, LossTotals } from "../loss.js";
import {
  forwardVariables,
  labelOccupancy,
  logLikelihood,
  logProbabilitiesOf,
  stepsNeeded,
  withBlanks,
} from "./alignments.js";
import type { RowOutputs } from "./alignments.js";

interface CtcOptions {
  readonly blankIndex: number;
  /** Whether a row whose loss is infinite counts with loss and gradient 0 instead. */
  readonly zeroInfinity: boolean;
}

const WHOSE = "ctc loss";

/**
 * −log of the probability of a row's labels, the sum over all their alignments (Graves et al. 2006):
 * PyTorch's CTCLoss(reduction='sum') of the log softmax of the outputs. The denominator is one for each
 * row (PyTorch's 'mean' divides by the number of labels as well), also where `zeroInfinity` applied.
 *
 * Its gradient throws, as `evaluate` does, `invalidBatch` for a row that is too short for its labels.
 */
export function ctc(numLabels: number, options: CtcOptions): LabelSequencesLoss {
  function totals(call: LabelSequencesCall, outputGradient?: Float32Array): LossTotals {
    checkCall(call, numLabels, options, outputGradient);
    outputGradient?.fill(0);
    let lossSum = 0;
    let lossWeight = 0;
    for (const [row, weight] of call.weights.entries()) {
      if (weight === 0) continue;
      lossSum += weight * lossOfRow(call, row, numLabels, options, outputGradient);
      lossWeight += weight;
    }
    return { lossSum, lossWeight };
  }
  return {
    kind: "ctc",
    targetKind: "labelSequences",
    outputSize: numLabels,
    evaluate: (call) => totals(call),
    gradient: (call) => totals(call, call.outputGradient),
  };
}

function lossOfRow(
  call: LabelSequencesCall,
  row: number,
  numLabels: number,
  { blankIndex, zeroInfinity }: CtcOptions,
  outputGradient: Float32Array | undefined,
): number {
  const { outputs, numRows, inputLengths } = call;
  const from: RowOutputs = { outputs, numRows, row, numSteps: inputLengths[row]!, numLabels };
  const extended = withBlanks(labelsOfRow(call, row), blankIndex);
  const lattice = { ...from, extended, logProbabilities: logProbabilitiesOf(from) };
  const forward = forwardVariables(lattice);
  const loss = 0 - logLikelihood(lattice, forward);
  if (loss === Infinity && zeroInfinity) return 0;
  if (outputGradient !== undefined) {
    const occupancy = labelOccupancy(lattice, forward);
    for (let t = 0; t < from.numSteps; t++) {
      const first = (t * numRows + row) * numLabels;
      for (let k = 0; k < numLabels; k++) {
        const i = t * numLabels + k;
        const difference = Math.exp(lattice.logProbabilities[i]!) - occupancy[i]!;
        outputGradient[first + k] = call.weights[row]! * difference;
      }
    }
  }
  return loss;
}

function labelsOfRow(
  { numRows, targets, targetLengths }: LabelSequencesCall,
  row: number,
): Int32Array {
  const first = row * (targets.length / numRows);
  return targets.subarray(first, first + targetLengths[row]!);
}

function checkCall(
  call: LabelSequencesCall,
  numLabels: number,
  options: CtcOptions,
  outputGradient: Float32Array | undefined,
): void {
  const { outputs, numRows, inputLengths, targets, targetLengths, weights, firstRow = 0 } = call;
  checkRows(WHOSE, "targets", targets.length, [numRows, 1]);
  for (const [name, array] of Object.entries({ inputLengths, targetLengths, weights })) {
    checkLength(WHOSE, name, array, [numRows, "rows", 1]);
  }
  checkRows(WHOSE, "outputs", outputs.length, [numRows, numLabels]);
  const numSteps = numRows === 0 ? 0 : outputs.length / numLabels / numRows;
  if (outputGradient !== undefined) {
    const numPositions = numSteps * numRows;
    checkLength(WHOSE, "outputGradient", outputGradient, [numPositions, "positions", numLabels]);
  }
  for (const [row, weight] of weights.entries()) {
    const number = firstRow + row;
    checkWeight(WHOSE, weight, () => `of row ${number}`);
    if (weight === 0) continue;
    checkCount("steps", number, inputLengths[row]!, numSteps);
    checkCount("labels", number, targetLengths[row]!, targets.length / numRows);
    checkLabels(labelsOfRow(call, row), number, numLabels, options.blankIndex);
    if (!options.zeroInfinity) checkFits(labelsOfRow(call, row), number, inputLengths[row]!);
  }
}

function checkCount(what: string, row: number, count: number, max: number): void {
  if (count >= 0 && count <= max) return;
  throw invalid(WHOSE, `row ${row} has ${count} ${what}; it must have from 0 to ${max}`);
}

function checkLabels(labels: Int32Array, row: number, numLabels: number, blankIndex: number): void {
  for (const [i, label] of labels.entries()) {
    if (label >= 0 && label < numLabels && label !== blankIndex) continue;
    throw invalid(
      WHOSE,
      `label ${i} of row ${row} is ${label}; it must be a label from 0 to ${numLabels - 1} other than ` +
        `the blank, ${blankIndex}`,
    );
  }
}

function checkFits(labels: Int32Array, row: number, numSteps: number): void {
  const { steps, repeats } = stepsNeeded(labels);
  if (steps <= numSteps) return;
  throw invalid(
    WHOSE,
    `row ${row} has ${numSteps} steps for ${labels.length} labels, ${repeats} of them equal to the one ` +
      `before; it must have at least ${steps} steps, its weight be 0, or zeroInfinity be true`,
  );
}
