import { createVocabulary } from "@ostinato/data";
import type { TextDataset } from "@ostinato/data";
import type { LanguageModel } from "@ostinato/lstm/model";
import { describe, expect, it } from "vitest";

import { evaluateSplit } from "./evaluate-split.js";

type Evaluate = LanguageModel["evaluate"];

/** A model whose loss for a target is the target's own id, and whose state counts its segments. */
function countingModel(segments: number[]): LanguageModel {
  const evaluate: Evaluate = ({ batch, states }) => {
    const { numSteps, numRows, targets, weights, leaves } = batch;
    return leaves.map(({ leaf, firstRow, numRows: rows }, index) => {
      let [lossSum, lossWeight] = [0, 0];
      for (let time = 0; time < numSteps; time++) {
        for (let row = firstRow; row < firstRow + rows; row++) {
          const weight = weights[time * numRows + row]!;
          lossSum += weight * targets[time * numRows + row]!;
          lossWeight += weight;
        }
      }
      const state = states[index]!;
      if (leaf === 0) segments.push(state[0]!);
      return { leaf, lossSum, lossWeight, state: state.map((value) => value + 1), moments: [] };
    });
  };
  const spec = {
    kind: "languageModel",
    vocabularySize: 1000,
    embeddingSize: 1,
    cell: "lstm",
    hiddenSize: 1,
    numLayers: 1,
    dropout: 0,
    forgetBias: 1,
  } as const;
  return { spec, evaluate } as Partial<LanguageModel> as LanguageModel;
}

const settings = {
  ...{ seed: 1, batchSize: 1, sequenceLength: 5 },
  ...{ microShards: 4, evaluationBatchSize: 6 },
};

/** A data set whose training and test part have these tokens. */
const datasetOf = (test: Uint16Array): TextDataset => ({
  kind: "text",
  vocabulary: createVocabulary([""]),
  splits: { train: Uint16Array.of(0, 0, 0, 0, 0, 0, 0), validation: Uint16Array.of(), test },
  digest: "",
});

describe("the loss of a part", () => {
  // 83 tokens have 82 targets: in 6 rows of 13 or 14, in segments of 5, the last one ragged.
  const tokens = Uint16Array.from({ length: 83 }, (_, i) => (i * i) % 97);

  it("is the mean over every target, each counted once", () => {
    const targets = [...tokens.subarray(1)];
    const mean = targets.reduce((sum, target) => sum + target, 0) / 82;
    expect(evaluateSplit(countingModel([]), datasetOf(tokens), "test", settings)).toEqual({
      loss: mean,
      numSamples: 82,
    });
  });

  it("carries the state of each leaf from segment to segment, from zeros", () => {
    const segments: number[] = [];
    evaluateSplit(countingModel(segments), datasetOf(tokens), "test", settings);
    expect(segments).toEqual([0, 1, 2]);
  });

  it("is refused for a part without a target", () => {
    expect(() =>
      evaluateSplit(countingModel([]), datasetOf(tokens.subarray(0, 1)), "test", settings),
    ).toThrow("the test part has 1 characters: too few");
  });
});
