import type { SplitName } from "../dataset/index.js";
import type { ExpectedLeaf } from "../layout/index.js";
import { EpochOrder, largestOf } from "../samples/index.js";
import type { EpochOrderOptions, EpochPlace } from "../samples/index.js";
import type { SequenceBatch } from "./sequence-batch.js";
import { targetEntries } from "./sequence-dataset.js";
import type { SequenceDataset } from "./sequence-dataset.js";
import { sequenceDigest } from "./sequence-digest.js";

export interface SequenceLayoutOptions extends EpochOrderOptions {
  readonly dataset: SequenceDataset;
  readonly split: SplitName;
}

/**
 * The sequences of an epoch in steps and leaves, as {@link EpochOrder} has them. Every batch of a step has
 * the time steps of its longest sequence, so that no leaf's arithmetic depends on which leaves it is
 * computed with.
 */
export interface SequenceLayout {
  /** Sequences of an epoch. */
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  /** Numbers (in the data set) of a step's sequences, in the order of its rows. */
  sequencesAt(place: EpochPlace): Uint32Array;
  /** Those of one leaf. @throws DataError 'invalidLayout' */
  sequencesOf(place: EpochPlace, leaf: number): Uint32Array;
  /** @param leaves distinct; @throws DataError 'invalidLayout' */
  batch(place: EpochPlace, leaves: readonly number[]): SequenceBatch;
  /** What the right batch of one leaf amounts to. @throws DataError 'invalidLayout' */
  expectedLeaf(place: EpochPlace, leaf: number): ExpectedLeaf;
}

/** @throws DataError 'invalidLayout' for sizes that are no positive integers */
export function createSequenceLayout(options: SequenceLayoutOptions): SequenceLayout {
  return new ShuffledSequences(options);
}

class ShuffledSequences implements SequenceLayout {
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  readonly #options: SequenceLayoutOptions;
  readonly #order: EpochOrder;
  #starts: Starts | undefined;

  constructor(options: SequenceLayoutOptions) {
    const { dataset, split } = options;
    this.#options = options;
    this.#order = new EpochOrder(dataset.splits[split], options);
    this.numSamples = this.#order.numSamples;
    this.stepsPerEpoch = this.#order.stepsPerEpoch;
    this.microShards = this.#order.microShards;
  }

  sequencesAt(place: EpochPlace): Uint32Array {
    return this.#order.samplesAt(place);
  }

  sequencesOf(place: EpochPlace, leaf: number): Uint32Array {
    return this.#order.samplesOf(place, leaf);
  }

  batch(place: EpochPlace, leaves: readonly number[]): SequenceBatch {
    const { rows, leaves: rowsOfLeaves } = this.#order.rowsOf(place, leaves);
    const ofStep = this.#order.samplesAt(place);
    const { lengths } = this.#options.dataset.samples;
    const numSteps = largestOf(ofStep, lengths);
    const isEven = ofStep.every((sequence) => lengths[sequence] === numSteps);
    return {
      numSteps,
      numRows: rows.length,
      lengths: isEven ? undefined : Int32Array.from(rows, (sequence) => lengths[sequence]!),
      ...this.#arrays(rows, numSteps, ofStep),
      sequences: Uint32Array.from(rows),
      leaves: rowsOfLeaves,
    };
  }

  expectedLeaf(place: EpochPlace, leaf: number): ExpectedLeaf {
    const batch = this.batch(place, [leaf]);
    return { numSamples: batch.numRows, digest: sequenceDigest(batch, leaf) };
  }

  #arrays(
    rows: readonly number[],
    numSteps: number,
    ofStep: Uint32Array,
  ): Pick<SequenceBatch, "inputs" | "targets" | "targetLengths" | "weights"> {
    const { inputs, targets, samples } = this.#options.dataset;
    const isLabels = targets.kind === "labelSequences";
    const isEveryStep = !isLabels && targets.of === "everyStep";
    const numRows = rows.length;
    const inputSize = inputs.kind === "values" ? inputs.size : 1;
    const targetSize = targets.kind === "values" ? targets.size : 1;
    const targetSteps = isEveryStep ? numSteps : 1;
    const { targetLengths } = samples;
    this.#starts ??= startsOf(this.#options.dataset);
    const { firstStep: firstSteps, firstTarget: firstTargets } = this.#starts;
    // Of the whole step, as the time steps are; one at least, as a batch of no labels is no batch.
    const longest = isLabels ? Math.max(1, largestOf(ofStep, targetLengths)) : 0;
    const ofInputs = emptyLike(samples.inputs, numSteps * numRows * inputSize);
    const ofTargets = emptyLike(
      samples.targets,
      isLabels ? numRows * longest : targetSteps * numRows * targetSize,
    );
    const weights = new Float32Array(targetSteps * numRows);
    for (const [row, sequence] of rows.entries()) {
      const length = samples.lengths[sequence]!;
      const firstStep = firstSteps[sequence]!;
      const firstTarget = firstTargets[sequence]!;
      for (let t = 0; t < length; t++) {
        const start = (firstStep + t) * inputSize;
        const own = samples.inputs.subarray(start, start + inputSize);
        ofInputs.set(own, (t * numRows + row) * inputSize);
      }
      if (isLabels) {
        const end = firstTarget + targetLengths[sequence]!;
        ofTargets.set(samples.targets.subarray(firstTarget, end), row * longest);
        weights[row] = samples.weights[sequence]!;
        continue;
      }
      for (let t = 0; t < (isEveryStep ? length : 1); t++) {
        const start = firstTarget + t * targetSize;
        const own = samples.targets.subarray(start, start + targetSize);
        ofTargets.set(own, (t * numRows + row) * targetSize);
        weights[t * numRows + row] = samples.weights[sequence]!;
      }
    }
    return {
      inputs: ofInputs,
      targets: ofTargets,
      targetLengths: isLabels ? Int32Array.from(rows, (n) => targetLengths[n]!) : undefined,
      weights,
    };
  }
}

/** [N]: where each sequence's steps and target entries begin. */
interface Starts {
  readonly firstStep: Float64Array;
  readonly firstTarget: Float64Array;
}

function startsOf({ samples, targets }: SequenceDataset): Starts {
  const { lengths, targetLengths } = samples;
  const firstStep = new Float64Array(lengths.length);
  const firstTarget = new Float64Array(lengths.length);
  for (let n = 1; n < lengths.length; n++) {
    const length = lengths[n - 1]!;
    firstStep[n] = firstStep[n - 1]! + length;
    firstTarget[n] =
      firstTarget[n - 1]! + targetEntries(targets, length, targetLengths[n - 1] ?? 0);
  }
  return { firstStep, firstTarget };
}

function emptyLike(values: Float32Array | Int32Array, length: number): Float32Array | Int32Array {
  return values instanceof Float32Array ? new Float32Array(length) : new Int32Array(length);
}
