import { ones, transpose } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

import {
  embeddingGradients,
  linearGradients,
  linearSoftmaxCrossEntropyGradients,
} from "../contract/index.js";
import { tensorsIn } from "./fixed-layers.js";
import type { FixedValues } from "./fixed-values.js";

const [numSteps, numRows, hiddenSize, numOutputs, vocabularySize] = [3, 7, 19, 35, 11];
const tree = {
  leaves: [
    { firstRow: 0, numRows: 2 },
    { firstRow: 2, numRows: 1 },
    { firstRow: 3, numRows: 1 },
    { firstRow: 4, numRows: 1 },
    { firstRow: 5, numRows: 2 },
  ],
  nodes: [
    { first: 0, count: 4 },
    { first: 4, count: 1 },
  ],
};

/** Weight gradients of several leaves, added up along the tree: all results. */
export function fixedLeafSums(values: FixedValues): readonly Tensor[] {
  const kernel = values.matrix(hiddenSize, vocabularySize);
  const linear = linearGradients({
    ...tree,
    rows: values.sequence(numSteps, numRows, hiddenSize),
    furtherRows: values.sequence(numSteps + 1, numRows, hiddenSize),
    gradient: values.sequence(numSteps, numRows, numOutputs),
  });
  const embedding = embeddingGradients({
    ...tree,
    ids: values.ids(numSteps * numRows, vocabularySize),
    gradient: values.sequence(numSteps, numRows, hiddenSize),
    vocabularySize,
  });
  const loss = linearSoftmaxCrossEntropyGradients({
    ...tree,
    hidden: values.sequence(numSteps, numRows, hiddenSize),
    kernel,
    kernelTransposed: () => transpose(kernel),
    bias: values.vector(vocabularySize),
    targets: values.ids(numSteps * numRows, vocabularySize),
    weights: ones([numSteps * numRows]),
    labelSmoothing: 0.125,
  });
  return [...tensorsIn(linear), embedding, ...tensorsIn(loss)];
}
