import { DataError } from "../data-error.js";
import type { SplitName } from "../dataset/index.js";
import { MAX_PARTS, partStart, requireInteger, shuffledOrder } from "../layout/index.js";
import type { ExpectedLeaf, LeafRows } from "../layout/index.js";
import type { SequenceBatch } from "./sequence-batch.js";
import { targetEntries } from "./sequence-dataset.js";
import type { SequenceDataset } from "./sequence-dataset.js";
import { sequenceDigest } from "./sequence-digest.js";

export interface SequenceLayoutOptions {
  readonly dataset: SequenceDataset;
  readonly split: SplitName;
  /** Sequences of a full step. */
  readonly batchSize: number;
  /** Leaves of the gradient tree. */
  readonly microShards: number;
  /**
   * As many random words of 32 bits as asked for, the same for the same epoch: what the epoch's order
   * is drawn from. Left out: the order of the files, in every epoch.
   */
  readonly randomWords?: (epoch: number, count: number) => Uint32Array;
}

/** Which step of which epoch, both from 0. */
export interface EpochPlace {
  readonly epoch: number;
  readonly epochStep: number;
}

/**
 * The sequences of an epoch: each one of a split once, in an order of the epoch's own. A step has the
 * next `batchSize` of them, the last step what is left over; leaf l has rows floor(l·n/M) to
 * floor((l+1)·n/M) - 1 of a step of n sequences. Every batch of a step has the time steps of its
 * longest sequence, so that no leaf's arithmetic depends on which leaves it is computed with.
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
  requireInteger("batchSize", options.batchSize, 1, MAX_PARTS);
  requireInteger("microShards", options.microShards, 1, MAX_PARTS);
  return new ShuffledSequences(options);
}

class ShuffledSequences implements SequenceLayout {
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  readonly #options: SequenceLayoutOptions;
  #starts: Starts | undefined;
  #order: { readonly epoch: number; readonly sequences: Uint32Array } | undefined;

  constructor(options: SequenceLayoutOptions) {
    const { dataset, split, batchSize, microShards } = options;
    this.#options = options;
    this.numSamples = dataset.splits[split].count;
    this.stepsPerEpoch = Math.ceil(this.numSamples / batchSize);
    this.microShards = microShards;
  }

  sequencesAt({ epoch, epochStep }: EpochPlace): Uint32Array {
    requireInteger("epochStep", epochStep, 0, this.stepsPerEpoch - 1);
    const { batchSize } = this.#options;
    return this.#orderOf(epoch).subarray(epochStep * batchSize, (epochStep + 1) * batchSize);
  }

  sequencesOf(place: EpochPlace, leaf: number): Uint32Array {
    requireInteger("leaf", leaf, 0, this.microShards - 1);
    const ofStep = this.sequencesAt(place);
    const startOf = (part: number): number => partStart(part, ofStep.length, this.microShards);
    return ofStep.subarray(startOf(leaf), startOf(leaf + 1));
  }

  batch(place: EpochPlace, leaves: readonly number[]): SequenceBatch {
    if (new Set(leaves).size !== leaves.length) {
      throw new DataError("invalidLayout", `leaves [${leaves.join(", ")}] name one leaf twice`);
    }
    const ofStep = this.sequencesAt(place);
    const rows: number[] = [];
    const rowsOfLeaves = leaves.map((leaf): LeafRows => {
      const firstRow = rows.length;
      for (const sequence of this.sequencesOf(place, leaf)) rows.push(sequence);
      return { leaf, firstRow, numRows: rows.length - firstRow };
    });
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

  #orderOf(epoch: number): Uint32Array {
    if (this.#order?.epoch === epoch) return this.#order.sequences;
    const { dataset, split, randomWords } = this.#options;
    const { first, count } = dataset.splits[split];
    const order = randomWords && shuffledOrder(count, randomWords(epoch, count));
    const sequences = Uint32Array.from({ length: count }, (_, i) => first + (order?.[i] ?? i));
    this.#order = { epoch, sequences };
    return sequences;
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

/** Without spreading: a step may have more sequences than a call may have arguments. */
function largestOf(sequences: Uint32Array, values: Uint32Array): number {
  return sequences.reduce((most, sequence) => Math.max(most, values[sequence]!), 0);
}

function emptyLike(values: Float32Array | Int32Array, length: number): Float32Array | Int32Array {
  return values instanceof Float32Array ? new Float32Array(length) : new Int32Array(length);
}
