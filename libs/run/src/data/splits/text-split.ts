import { createTextLayout, sampleDigest } from "@ostinato/data";
import type { TextLayoutOptions, TokenBatch } from "@ostinato/data";

import type { LeafSamples, SplitLayout } from "./split-layout.js";

/** A part of a text: every target counts 1. */
export function textSplit(
  tokens: Uint16Array,
  options: Omit<TextLayoutOptions, "numTokens">,
): SplitLayout<TokenBatch> {
  const layout = createTextLayout({ ...options, numTokens: tokens.length });
  const samplesOf = (batch: TokenBatch, leaf: number): LeafSamples => ({
    numSamples: numSamplesOf(batch, leaf),
    sampleDigest: sampleDigest(batch, leaf),
  });
  return {
    numSamples: layout.numSamples,
    stepsPerEpoch: layout.stepsPerEpoch,
    microShards: layout.microShards,
    isSameEveryEpoch: true,
    stateRowsOf: (leaf) => layout.rowsOf(leaf).numRows,
    lossWeightAt: ({ epochStep }) => layout.numSamplesAt(epochStep),
    batch: ({ epochStep }, leaves) => layout.batch(tokens, epochStep, leaves),
    samplesOf,
    expectedLeaf({ epochStep }, leaf) {
      const samples = samplesOf(layout.batch(tokens, epochStep, [leaf]), leaf);
      return { ...samples, lossWeight: samples.numSamples };
    },
    describe: ({ epochStep }, leaves) =>
      `training positions ${rangesOf(layout.batch(tokens, epochStep, leaves)).join(", ")}`,
  };
}

/** Entries of the leaf's rows that have a weight. */
function numSamplesOf(batch: TokenBatch, leaf: number): number {
  const rows = batch.leaves.find((candidate) => candidate.leaf === leaf);
  if (rows === undefined) return 0;
  let numSamples = 0;
  for (let time = 0; time < batch.numSteps; time++) {
    const first = time * batch.numRows + rows.firstRow;
    for (const weight of batch.weights.subarray(first, first + rows.numRows)) {
      if (weight !== 0) numSamples += 1;
    }
  }
  return numSamples;
}

function rangesOf(batch: TokenBatch): string[] {
  const ranges: string[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    let count = 0;
    for (let time = 0; time < batch.numSteps; time++) {
      count += batch.weights[time * batch.numRows + row] ?? 0;
    }
    const first = batch.positions[row] ?? 0;
    if (count > 0) ranges.push(`${first}–${first + count - 1}`);
  }
  return ranges;
}
