/**
 * The alignments of a label sequence l with T time steps: all ways to write l′ (a blank before, between
 * and after the labels) step by step such that dropping repetitions and then blanks gives l. The sums
 * over them are those of Graves, Fernández, Gomez, Schmidhuber, "Connectionist temporal classification",
 * ICML 2006, section 4.1, in the logarithm.
 *
 * Shapes: T steps, C labels, S = 2 · (labels of l) + 1 places of l′.
 */
import { logAddExp, logSumExp } from "../special-functions.js";

/** A row's steps as log softmax, and what it is aligned with. */
export interface Lattice {
  readonly numSteps: number;
  readonly numLabels: number;
  /** [T,C]. */
  readonly logProbabilities: Float64Array;
  /** l′, [S]. */
  readonly extended: Int32Array;
}

/** Where a row lies in [steps, rows, labels]. */
export interface RowOutputs {
  readonly outputs: Float32Array;
  readonly numRows: number;
  readonly row: number;
  readonly numSteps: number;
  readonly numLabels: number;
}

/** The log softmax of one row, [T,C]. */
export function logProbabilitiesOf(from: RowOutputs): Float64Array {
  const { outputs, numRows, row, numSteps, numLabels } = from;
  const result = new Float64Array(numSteps * numLabels);
  for (let t = 0; t < numSteps; t++) {
    const first = (t * numRows + row) * numLabels;
    const logSum = logSumExp(outputs, first, numLabels);
    for (let k = 0; k < numLabels; k++) result[t * numLabels + k] = outputs[first + k]! - logSum;
  }
  return result;
}

/** l′: the labels with a blank on every side. */
export function withBlanks(labels: Int32Array, blankIndex: number): Int32Array {
  const extended = new Int32Array(2 * labels.length + 1).fill(blankIndex);
  for (const [i, label] of labels.entries()) extended[2 * i + 1] = label;
  return extended;
}

/** How many steps the shortest alignment takes: one a label, and a blank between two equal ones. */
export function stepsNeeded(labels: Int32Array): {
  readonly steps: number;
  readonly repeats: number;
} {
  let repeats = 0;
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) repeats++;
  return { steps: labels.length + repeats, repeats };
}

/** A label may follow another one with no blank between, unless both are the same. */
function maySkipTo(extended: Int32Array, place: number): boolean {
  return place >= 2 && place % 2 === 1 && extended[place] !== extended[place - 2];
}

/**
 * The forward variables, [T,S]: log of the probability to have written l′ up to and including place s
 * after step t.
 */
export function forwardVariables(lattice: Lattice): Float64Array {
  const { numSteps, numLabels, logProbabilities, extended } = lattice;
  const numPlaces = extended.length;
  const forward = new Float64Array(numSteps * numPlaces).fill(-Infinity);
  for (let t = 0; t < numSteps; t++) {
    const before = (t - 1) * numPlaces;
    for (let s = 0; s < numPlaces; s++) {
      let reached = s < 2 ? 0 : -Infinity;
      if (t > 0) {
        reached = forward[before + s]!;
        if (s >= 1) reached = logAddExp(reached, forward[before + s - 1]!);
        if (maySkipTo(extended, s)) reached = logAddExp(reached, forward[before + s - 2]!);
      }
      forward[t * numPlaces + s] = reached + logProbabilities[t * numLabels + extended[s]!]!;
    }
  }
  return forward;
}

/** log p(l): an alignment ends at the last label or at the blank behind it. */
export function logLikelihood({ numSteps, extended }: Lattice, forward: Float64Array): number {
  const numPlaces = extended.length;
  if (numSteps === 0) return numPlaces === 1 ? 0 : -Infinity;
  const last = forward[numSteps * numPlaces - 1]!;
  return numPlaces === 1 ? last : logAddExp(last, forward[numSteps * numPlaces - 2]!);
}

/**
 * The share of the alignments, by probability, that are at label k in step t: [T,C], each step's sum
 * is 1. The gradient of −log p(l) with respect to the logits is the softmax less this.
 */
export function labelOccupancy(lattice: Lattice, forward: Float64Array): Float64Array {
  const { numSteps, numLabels, logProbabilities, extended } = lattice;
  const numPlaces = extended.length;
  const total = logLikelihood(lattice, forward);
  const occupancy = new Float64Array(numSteps * numLabels);
  // Log of the probability to write the rest of l′ after the step.
  const backward = new Float64Array(numPlaces).fill(-Infinity);
  backward.fill(0, Math.max(0, numPlaces - 2));
  for (let t = numSteps - 1; t >= 0; t--) {
    for (let s = 0; s < numPlaces; s++) {
      const share = Math.exp(forward[t * numPlaces + s]! + backward[s]! - total);
      occupancy[t * numLabels + extended[s]!]! += share;
    }
    // In ascending order of s: each place reads only places from itself on.
    for (let s = 0; s < numPlaces; s++) {
      const enter = (place: number): number =>
        backward[place]! + logProbabilities[t * numLabels + extended[place]!]!;
      let rest = enter(s);
      if (s + 1 < numPlaces) rest = logAddExp(rest, enter(s + 1));
      if (s + 2 < numPlaces && maySkipTo(extended, s + 2)) rest = logAddExp(rest, enter(s + 2));
      backward[s] = rest;
    }
  }
  return occupancy;
}
