/** The loss of a model on one part of a text, to the bits that a coordinator's evaluation has. */

import { createTextLayout } from "@ostinato/data";
import { stateShape } from "@ostinato/lstm";
import type { LanguageModel } from "@ostinato/lstm/model";
import type { RunConfig } from "@ostinato/run";

import { CliError } from "../errors/index.js";

export interface SplitLoss {
  /** Mean over the targets, in nats. */
  readonly loss: number;
  /** Targets. */
  readonly numSamples: number;
}

/** The keys of a run config that a loss depends on. */
export interface EvaluationConfig {
  readonly training: Pick<RunConfig["training"], "sequenceLength" | "microShards">;
  readonly evaluation: Pick<RunConfig["evaluation"], "batchSize">;
}

/**
 * Evaluates as a run does: the part is cut in `evaluation.batchSize` rows that belong to the leaves,
 * each leaf's losses are added segment by segment from a state of zeros, then the leaves in order.
 *
 * @param split names the part in messages
 * @throws CliError 'unusableText' if the part has no target
 */
export function evaluateSplit(
  model: LanguageModel,
  tokens: Uint16Array,
  split: string,
  { training, evaluation }: EvaluationConfig,
): SplitLoss {
  if (tokens.length < 2) {
    throw new CliError(
      "unusableText",
      `the ${split} part has ${tokens.length} characters: too few`,
    );
  }
  const { microShards, sequenceLength } = training;
  const layout = createTextLayout({
    numTokens: tokens.length,
    batchSize: evaluation.batchSize,
    sequenceLength,
    microShards,
    allowShort: true,
  });
  const leaves = Array.from({ length: microShards }, (_, leaf) => leaf);
  const { valuesPerRow } = stateShape(model.spec);
  let states: readonly Float32Array[] = leaves.map(
    (leaf) => new Float32Array(valuesPerRow * layout.rowsOf(leaf).numRows),
  );
  const lossSums = new Float64Array(microShards);
  const lossWeights = new Float64Array(microShards);
  for (let segment = 0; segment < layout.stepsPerEpoch; segment++) {
    const outcomes = model.evaluate({ batch: layout.batch(tokens, segment, leaves), states });
    for (const { leaf, lossSum, lossWeight } of outcomes) {
      lossSums[leaf] = (lossSums[leaf] ?? 0) + lossSum;
      lossWeights[leaf] = (lossWeights[leaf] ?? 0) + lossWeight;
    }
    states = outcomes.map(({ state }) => state);
  }
  const lossSum = lossSums.reduce((sum, value) => sum + value, 0);
  const lossWeight = lossWeights.reduce((sum, value) => sum + value, 0);
  return { loss: lossSum / lossWeight, numSamples: layout.numSamples };
}
