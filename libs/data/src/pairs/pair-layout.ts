import type { SplitName } from "../dataset/index.js";
import type { ExpectedLeaf } from "../layout/index.js";
import { EpochOrder, largestOf } from "../samples/index.js";
import type { EpochOrderOptions, EpochPlace } from "../samples/index.js";
import { pairDigest } from "./pair-batch.js";
import type { PairBatch, TokenRows } from "./pair-batch.js";
import { startsOf } from "./pair-dataset.js";
import type { PairDataset, Side } from "./pair-dataset.js";

export interface PairLayoutOptions extends EpochOrderOptions {
  readonly dataset: PairDataset;
  readonly split: SplitName;
}

/**
 * The pairs of an epoch in steps and leaves, as {@link EpochOrder} has them. Every batch of a step has the
 * time steps of its longest source and of its longest target, so that no leaf's arithmetic depends on which
 * leaves it is computed with.
 */
export interface PairLayout {
  /** Pairs of an epoch. */
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  /** Numbers (in the data set) of a step's pairs, in the order of its rows. */
  pairsAt(place: EpochPlace): Uint32Array;
  /** Those of one leaf. @throws DataError 'invalidLayout' */
  pairsOf(place: EpochPlace, leaf: number): Uint32Array;
  /**
   * What a leaf counts in the loss: the float64 sum of its pairs' weights over the tokens of their targets
   * and the ends, pair after pair, token after token.
   */
  lossWeightOf(place: EpochPlace, leaf: number): number;
  /** @param leaves distinct; @throws DataError 'invalidLayout' */
  batch(place: EpochPlace, leaves: readonly number[]): PairBatch;
  /** What the right batch of one leaf amounts to. @throws DataError 'invalidLayout' */
  expectedLeaf(place: EpochPlace, leaf: number): ExpectedLeaf;
}

/** @throws DataError 'invalidLayout' for sizes that are no positive integers */
export function createPairLayout({ dataset, split, ...options }: PairLayoutOptions): PairLayout {
  const order = new EpochOrder(dataset.splits[split], options);
  const { numSamples, stepsPerEpoch, microShards } = order;
  let starts: Readonly<Record<Side, Float64Array>> | undefined;

  function side(name: Side, rows: readonly number[], ofStep: Uint32Array): TokenRows {
    const { lengths, ids } = dataset[name];
    starts ??= { source: startsOf(dataset.source), target: startsOf(dataset.target) };
    const firstIds = starts[name];
    const numSteps = largestOf(ofStep, lengths);
    const numRows = rows.length;
    const tokens = new Int32Array(numSteps * numRows);
    for (const [row, pair] of rows.entries()) {
      for (let t = 0; t < lengths[pair]!; t++) {
        tokens[t * numRows + row] = ids[firstIds[pair]! + t]!;
      }
    }
    return { numSteps, tokens, lengths: Int32Array.from(rows, (pair) => lengths[pair]!) };
  }

  function batch(place: EpochPlace, wanted: readonly number[]): PairBatch {
    const { rows, leaves } = order.rowsOf(place, wanted);
    const ofStep = order.samplesAt(place);
    const [source, target] = [side("source", rows, ofStep), side("target", rows, ofStep)];
    return {
      numSteps: source.numSteps + 1 + target.numSteps,
      numRows: rows.length,
      source,
      target,
      weights: Float32Array.from(rows, (pair) => dataset.weights[pair]!),
      pairs: Uint32Array.from(rows),
      leaves,
    };
  }

  return {
    numSamples,
    stepsPerEpoch,
    microShards,
    pairsAt: (place) => order.samplesAt(place),
    pairsOf: (place, leaf) => order.samplesOf(place, leaf),
    lossWeightOf(place, leaf) {
      let lossWeight = 0;
      for (const pair of order.samplesOf(place, leaf)) {
        // Added, not multiplied: to the bits that the losses' weights add up to.
        for (let t = 0; t <= dataset.target.lengths[pair]!; t++)
          lossWeight += dataset.weights[pair]!;
      }
      return lossWeight;
    },
    batch,
    expectedLeaf(place, leaf) {
      const ofLeaf = batch(place, [leaf]);
      return { numSamples: ofLeaf.numRows, digest: pairDigest(ofLeaf, leaf) };
    },
  };
}
