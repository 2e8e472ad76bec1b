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
  /** [N + 1]: where each sequence's steps and target entries begin. */
  readonly #firstStep: Float64Array;
  readonly #firstTarget: Float64Array;
  #order: { readonly epoch: number; readonly sequences: Uint32Array } | undefined;

  constructor(options: SequenceLayoutOptions) {
    const { dataset, split, batchSize, microShards } = options;
    const { samples, targets } = dataset;
    this.#options = options;
    this.numSamples = dataset.splits[split].count;
    this.stepsPerEpoch = Math.ceil(this.numSamples / batchSize);
    this.microShards = microShards;
    this.#firstStep = startsOf(samples.lengths.length, (n) => samples.lengths[n]!);
    this.#firstTarget = startsOf(samples.lengths.length, (n) =>
      targetEntries(targets, samples.lengths[n]!, samples.targetLengths[n] ?? 0),
    );
  }

  sequencesAt({ epoch, epochStep }: EpochPlace): Uint32Array {
    requireInteger("epochStep", epochStep, 0, this.stepsPerEpoch - 1);
    const { batchSize } = this.#options;
    return this.#orderOf(epoch).subarray(epochStep * batchSize, (epochStep + 1) * batchSize);
  }

  batch(place: EpochPlace, leaves: readonly number[]): SequenceBatch {
    if (new Set(leaves).size !== leaves.length) {
      throw new DataError("invalidLayout", `leaves [${leaves.join(", ")}] name one leaf twice`);
    }
    const ofStep = this.sequencesAt(place);
    const rows: number[] = [];
    const rowsOfLeaves = leaves.map((leaf): LeafRows => {
      requireInteger("leaf", leaf, 0, this.microShards - 1);
      const first = partStart(leaf, ofStep.length, this.microShards);
      const end = partStart(leaf + 1, ofStep.length, this.microShards);
      const firstRow = rows.length;
      rows.push(...ofStep.subarray(first, end));
      return { leaf, firstRow, numRows: end - first };
    });
    const { lengths } = this.#options.dataset.samples;
    const steps = [...ofStep].map((sequence) => lengths[sequence]!);
    const numSteps = Math.max(...steps);
    const isEven = steps.every((length) => length === numSteps);
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
    // Of the whole step, as the time steps are; one at least, as a batch of no labels is no batch.
    const longest = isLabels ? Math.max(1, ...[...ofStep].map((n) => targetLengths[n]!)) : 0;
    const ofInputs = emptyLike(samples.inputs, numSteps * numRows * inputSize);
    const ofTargets = emptyLike(
      samples.targets,
      isLabels ? numRows * longest : targetSteps * numRows * targetSize,
    );
    const weights = new Float32Array(targetSteps * numRows);
    for (const [row, sequence] of rows.entries()) {
      const length = samples.lengths[sequence]!;
      const firstStep = this.#firstStep[sequence]!;
      const firstTarget = this.#firstTarget[sequence]!;
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

function startsOf(count: number, sizeOf: (index: number) => number): Float64Array {
  const starts = new Float64Array(count + 1);
  for (let n = 0; n < count; n++) starts[n + 1] = starts[n]! + sizeOf(n);
  return starts;
}

function emptyLike(values: Float32Array | Int32Array, length: number): Float32Array | Int32Array {
  return values instanceof Float32Array ? new Float32Array(length) : new Int32Array(length);
}
