import { DataError } from "../data-error.js";
import { MAX_PARTS, partStart, requireInteger, shuffledOrder } from "../layout/index.js";
import type { LeafRows } from "../layout/index.js";
import type { SampleRange } from "./sample-range.js";

export interface EpochOrderOptions {
  /** Samples of a full step. */
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

/** Samples side by side, and whose they are. */
export interface ChosenRows {
  /** Numbers (in the data set) of the samples. */
  readonly rows: readonly number[];
  /** The leaves in the order of their rows, which are contiguous. */
  readonly leaves: readonly LeafRows[];
}

/**
 * The samples of an epoch: each one of a part once, in an order of the epoch's own. A step has the next
 * `batchSize` of them, the last step what is left over; leaf l has rows floor(l·n/M) to
 * floor((l+1)·n/M) - 1 of a step of n samples.
 */
export class EpochOrder {
  /** Samples of an epoch. */
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  readonly #range: SampleRange;
  readonly #options: EpochOrderOptions;
  #order: { readonly epoch: number; readonly samples: Uint32Array } | undefined;

  /** @throws DataError 'invalidLayout' for sizes that are no positive integers */
  constructor(range: SampleRange, options: EpochOrderOptions) {
    const { batchSize, microShards } = options;
    requireInteger("batchSize", batchSize, 1, MAX_PARTS);
    requireInteger("microShards", microShards, 1, MAX_PARTS);
    this.#range = range;
    this.#options = options;
    this.numSamples = range.count;
    this.stepsPerEpoch = Math.ceil(range.count / batchSize);
    this.microShards = microShards;
  }

  /** Numbers of a step's samples, in the order of its rows. @throws DataError 'invalidLayout' */
  samplesAt({ epoch, epochStep }: EpochPlace): Uint32Array {
    requireInteger("epochStep", epochStep, 0, this.stepsPerEpoch - 1);
    const { batchSize } = this.#options;
    return this.#orderOf(epoch).subarray(epochStep * batchSize, (epochStep + 1) * batchSize);
  }

  /** Those of one leaf. @throws DataError 'invalidLayout' */
  samplesOf(place: EpochPlace, leaf: number): Uint32Array {
    requireInteger("leaf", leaf, 0, this.microShards - 1);
    const ofStep = this.samplesAt(place);
    const startOf = (part: number): number => partStart(part, ofStep.length, this.microShards);
    return ofStep.subarray(startOf(leaf), startOf(leaf + 1));
  }

  /** @param leaves distinct; @throws DataError 'invalidLayout' */
  rowsOf(place: EpochPlace, leaves: readonly number[]): ChosenRows {
    if (new Set(leaves).size !== leaves.length) {
      throw new DataError("invalidLayout", `leaves [${leaves.join(", ")}] name one leaf twice`);
    }
    const rows: number[] = [];
    const rowsOfLeaves = leaves.map((leaf): LeafRows => {
      const firstRow = rows.length;
      for (const sample of this.samplesOf(place, leaf)) rows.push(sample);
      return { leaf, firstRow, numRows: rows.length - firstRow };
    });
    return { rows, leaves: rowsOfLeaves };
  }

  #orderOf(epoch: number): Uint32Array {
    if (this.#order?.epoch === epoch) return this.#order.samples;
    const { first, count } = this.#range;
    const { randomWords } = this.#options;
    const order = randomWords && shuffledOrder(count, randomWords(epoch, count));
    const samples = Uint32Array.from({ length: count }, (_, i) => first + (order?.[i] ?? i));
    this.#order = { epoch, samples };
    return samples;
  }
}

/**
 * The greatest of some samples' values, 0 for none. Without spreading: a step may have more samples than a
 * call may have arguments.
 */
export function largestOf(samples: Uint32Array, values: Uint32Array): number {
  return samples.reduce((most, sample) => Math.max(most, values[sample] ?? 0), 0);
}
