/** The loss of a model on one part of its data, to the bits that a coordinator's evaluation has. */

import type { Dataset, SplitName } from "@ostinato/data";
import { stateShape } from "@ostinato/lstm";
import { layOutPairs, layOutSequences, layOutText } from "@ostinato/run";
import type { LayoutSettings, SplitLayout } from "@ostinato/run";

import { CliError } from "../errors/index.js";
import { isEncoderDecoder, isLanguageModel, isSequenceModel } from "./model-kind.js";
import type { AnyModel } from "./model-kind.js";

export interface SplitLoss {
  /** Mean over the targets, in the unit of the loss: nats for a text and for pairs. */
  readonly loss: number;
  /** Targets of a text, sequences, pairs. */
  readonly numSamples: number;
}

/**
 * Evaluates as a run does: the part is cut in rows that belong to the leaves, each leaf's losses are
 * added step by step (a text's from a state of zeros), then the leaves in order.
 *
 * @throws CliError 'unusableText' if the part has no target, or the model is of other data
 */
export function evaluateSplit(
  model: AnyModel,
  dataset: Dataset,
  split: SplitName,
  settings: LayoutSettings,
): SplitLoss {
  if (isLanguageModel(model) && dataset.kind === "text") {
    const { length } = dataset.splits[split];
    if (length < 2) {
      throw new CliError("unusableText", `the ${split} part has ${length} characters: too few`);
    }
    const layout = layOutText(dataset, settings).evaluation(split);
    return meanLoss(model, layout, stateShape(model.spec).valuesPerRow);
  }
  if (isSequenceModel(model) && dataset.kind === "sequences") {
    const layout = layOutSequences(dataset, model.spec, settings).evaluation(split);
    return meanLoss(model, layout, 0);
  }
  if (isEncoderDecoder(model) && dataset.kind === "pairs") {
    return meanLoss(model, layOutPairs(dataset, settings).evaluation(split), 0);
  }
  throw new CliError("unusableText", `the model is not one of ${dataset.kind}`);
}

interface Evaluated<Batch> {
  evaluate(options: { readonly batch: Batch; readonly states: readonly Float32Array[] }): readonly {
    readonly leaf: number;
    readonly lossSum: number;
    readonly lossWeight: number;
    readonly state: Float32Array;
  }[];
}

function meanLoss<Batch>(
  model: Evaluated<Batch>,
  layout: SplitLayout<Batch>,
  stateValuesPerRow: number,
): SplitLoss {
  const { microShards } = layout;
  const leaves = Array.from({ length: microShards }, (_, leaf) => leaf);
  let states: readonly Float32Array[] = leaves.map(
    (leaf) => new Float32Array(stateValuesPerRow * layout.stateRowsOf(leaf)),
  );
  const lossSums = new Float64Array(microShards);
  const lossWeights = new Float64Array(microShards);
  for (let epochStep = 0; epochStep < layout.stepsPerEpoch; epochStep++) {
    const outcomes = model.evaluate({
      batch: layout.batch({ epoch: 0, epochStep }, leaves),
      states,
    });
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
