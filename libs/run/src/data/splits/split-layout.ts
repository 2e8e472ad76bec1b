import type { EpochPlace } from "@ostinato/data";

/** The samples of one leaf in a batch. */
export interface LeafSamples {
  readonly numSamples: number;
  /** SHA-256 of the samples, from the arrays that are computed with. */
  readonly sampleDigest: Uint8Array;
}

/** What a worker must report of a leaf it has computed. */
export interface ExpectedSamples extends LeafSamples {
  /** Sum of weight × share over the targets, in the order in which a model adds them. */
  readonly lossWeight: number;
}

/** One part of a data set as it is trained on or evaluated: steps, and the leaves of each. */
export interface SplitLayout<Batch = unknown> {
  /** Samples of an epoch. */
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  /** Whether a step has the same samples in every epoch. */
  readonly isSameEveryEpoch: boolean;
  /** Rows of a leaf that carry a state from step to step. */
  stateRowsOf(leaf: number): number;
  /** Sum of the loss weights of a step's leaves. */
  lossWeightAt(place: EpochPlace): number;
  /**
   * @param leaves distinct
   * @throws DataError 'invalidLayout'
   */
  batch(place: EpochPlace, leaves: readonly number[]): Batch;
  /** What is in a batch, of one of its leaves. */
  samplesOf(batch: Batch, leaf: number): LeafSamples;
  expectedLeaf(place: EpochPlace, leaf: number): ExpectedSamples;
  /** Names the samples of some leaves, for a person. */
  describe(place: EpochPlace, leaves: readonly number[]): string;
}
