import { DataError } from "../data-error.js";
import { MAX_PARTS, partStart } from "./part-start.js";
import { requireInteger } from "./require-integer.js";
import { sampleDigest } from "./sample-digest.js";
import type { LeafRows, TokenBatch } from "./token-batch.js";

export interface TextLayoutOptions {
  /** Tokens of the split that is laid out. */
  readonly numTokens: number;
  /** Rows. */
  readonly batchSize: number;
  /** Time steps of a full step. */
  readonly sequenceLength: number;
  /** Leaves of the gradient tree; may exceed the rows, some leaves are empty then. */
  readonly microShards: number;
  /**
   * Accept a text that does not fill one step, down to a single target: the step is short and masked.
   * For evaluation, where a small split is no mistake. Default false.
   */
  readonly allowShort?: boolean;
  /** How errors call what is laid out, such as 'the training part'. Default 'the text'. */
  readonly textName?: string;
}

/** Rows of the layout, `firstRow` to `firstRow + numRows - 1`. */
export interface RowRange {
  readonly firstRow: number;
  readonly numRows: number;
}

/** What a worker must report of a leaf it has computed. */
export interface ExpectedLeaf {
  readonly numSamples: number;
  /** SHA-256, see {@link sampleDigest}. */
  readonly digest: Uint8Array;
}

/**
 * The samples of an epoch over one text. A sample is a position p: the input is token p, the target
 * token p + 1. The positions 0 to P - 1 (P = numTokens - 1) are cut into `batchSize` contiguous rows,
 * row r being floor(r·P/B) to floor((r+1)·P/B) - 1; leaf l has the rows floor(l·B/M) to
 * floor((l+1)·B/M) - 1 for the whole epoch. Each step advances every row by `sequenceLength`
 * positions; what is left over at the end is a shorter step, in which ended rows are masked.
 */
export interface TextLayout {
  /** Samples of an epoch: every target once. */
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  /** @throws DataError 'invalidLayout' for a leaf that does not exist */
  rowsOf(leaf: number): RowRange;
  /**
   * Samples of one step, all leaves together.
   *
   * @throws DataError 'invalidLayout' for a step outside the epoch
   */
  numSamplesAt(epochStep: number): number;
  /**
   * The batch of some leaves, their rows side by side in the order given.
   *
   * @param tokens the split, [numTokens]
   * @param epochStep 0 to stepsPerEpoch - 1
   * @param leaves distinct
   * @throws DataError 'invalidLayout'
   */
  batch(tokens: Uint16Array, epochStep: number, leaves: readonly number[]): TokenBatch;
  /**
   * What the right batch of one leaf amounts to.
   *
   * @throws DataError 'invalidLayout'
   */
  expectedLeaf(tokens: Uint16Array, epochStep: number, leaf: number): ExpectedLeaf;
}

/**
 * Lays out a text.
 *
 * @throws DataError 'invalidLayout' for sizes that are no positive integers, 'textTooShort' if the
 *   text does not fill one step (see `allowShort`)
 */
export function createTextLayout(options: TextLayoutOptions): TextLayout {
  const { numTokens, batchSize, sequenceLength, microShards, allowShort = false } = options;
  const { textName = "the text" } = options;
  requireInteger("batchSize", batchSize, 1, MAX_PARTS);
  requireInteger("sequenceLength", sequenceLength, 1, MAX_SIZE);
  requireInteger("microShards", microShards, 1, MAX_PARTS);
  requireInteger("numTokens", numTokens, 0, MAX_SIZE);
  const needed = (allowShort ? 1 : batchSize * sequenceLength) + 1;
  if (numTokens < needed) {
    const why = allowShort
      ? "an input and a target"
      : `batchSize ${batchSize} x sequenceLength ${sequenceLength} targets, and one`;
    throw new DataError(
      "textTooShort",
      `${textName} has ${numTokens} tokens; at least ${needed} are needed (${why})`,
      { given: numTokens, needed },
    );
  }
  return new ContiguousRows({ ...options, textName });
}

/** Positions are uint32 in digests. */
const MAX_SIZE = 2 ** 32 - 1;

class ContiguousRows implements TextLayout {
  readonly numSamples: number;
  readonly stepsPerEpoch: number;
  readonly microShards: number;
  readonly #textName: string;
  readonly #numTokens: number;
  readonly #batchSize: number;
  readonly #sequenceLength: number;
  /** Positions of the longest row; no row is shorter by more than one. */
  readonly #longestRow: number;

  constructor(options: TextLayoutOptions & { readonly textName: string }) {
    const { numTokens, batchSize, sequenceLength, microShards } = options;
    this.numSamples = numTokens - 1;
    this.microShards = microShards;
    this.#textName = options.textName;
    this.#numTokens = numTokens;
    this.#batchSize = batchSize;
    this.#sequenceLength = sequenceLength;
    this.#longestRow = Math.ceil(this.numSamples / batchSize);
    this.stepsPerEpoch = Math.ceil(this.#longestRow / sequenceLength);
  }

  rowsOf(leaf: number): RowRange {
    requireInteger("leaf", leaf, 0, this.microShards - 1);
    const firstRow = partStart(leaf, this.#batchSize, this.microShards);
    return { firstRow, numRows: partStart(leaf + 1, this.#batchSize, this.microShards) - firstRow };
  }

  numSamplesAt(epochStep: number): number {
    this.#requireEpochStep(epochStep);
    let numSamples = 0;
    for (let row = 0; row < this.#batchSize; row++) {
      const { first, end } = this.#positionsOf(row, epochStep);
      numSamples += end - first;
    }
    return numSamples;
  }

  batch(tokens: Uint16Array, epochStep: number, leaves: readonly number[]): TokenBatch {
    this.#requireEpochStep(epochStep);
    if (tokens.length !== this.#numTokens) {
      throw new DataError(
        "invalidLayout",
        `${this.#textName} has ${tokens.length} tokens; this layout is of ${this.#numTokens}`,
      );
    }
    if (new Set(leaves).size !== leaves.length) {
      throw new DataError("invalidLayout", `leaves [${leaves.join(", ")}] name one leaf twice`);
    }
    const rowsOfLeaves: LeafRows[] = [];
    const rows: number[] = [];
    for (const leaf of leaves) {
      const { firstRow, numRows } = this.rowsOf(leaf);
      rowsOfLeaves.push({ leaf, firstRow: rows.length, numRows });
      for (let row = firstRow; row < firstRow + numRows; row++) rows.push(row);
    }
    const numRows = rows.length;
    const numSteps = Math.min(
      this.#sequenceLength,
      this.#longestRow - epochStep * this.#sequenceLength,
    );
    const inputs = new Int32Array(numSteps * numRows);
    const targets = new Int32Array(numSteps * numRows);
    const weights = new Float32Array(numSteps * numRows);
    const positions = new Uint32Array(numRows);
    for (const [column, row] of rows.entries()) {
      const { first, end } = this.#positionsOf(row, epochStep);
      positions[column] = first;
      for (let position = first; position < end; position++) {
        const entry = (position - first) * numRows + column;
        inputs[entry] = tokens[position]!;
        targets[entry] = tokens[position + 1]!;
        weights[entry] = 1;
      }
    }
    return { numSteps, numRows, inputs, targets, weights, positions, leaves: rowsOfLeaves };
  }

  expectedLeaf(tokens: Uint16Array, epochStep: number, leaf: number): ExpectedLeaf {
    const batch = this.batch(tokens, epochStep, [leaf]);
    let numSamples = 0;
    for (const weight of batch.weights) numSamples += weight;
    return { numSamples, digest: sampleDigest(batch, leaf) };
  }

  /** The positions of a row in a step: `first` to `end - 1`, none once the row has ended. */
  #positionsOf(row: number, epochStep: number): { readonly first: number; readonly end: number } {
    const rowEnd = partStart(row + 1, this.numSamples, this.#batchSize);
    const rowStart = partStart(row, this.numSamples, this.#batchSize);
    const first = Math.min(rowStart + epochStep * this.#sequenceLength, rowEnd);
    return { first, end: Math.min(first + this.#sequenceLength, rowEnd) };
  }

  #requireEpochStep(epochStep: number): void {
    requireInteger("epochStep", epochStep, 0, this.stepsPerEpoch - 1);
  }
}
