/** Softmax cross-entropy of a linear layer, in blocks that never hold all logits. */
import type { Tensor } from "@tensorflow/tfjs-core";

import type {
  LabelSmoothing,
  LinearSoftmaxCrossEntropyInputs,
  LinearSoftmaxLossInputs,
  SoftmaxLossAttributes,
} from "../../contract/index.js";
import { nativeAddon } from "../addon.js";
import { oneLeaf, treeOf } from "../kernel-call.js";
import type { Call } from "../kernel-call.js";

export function linearSoftmaxCrossEntropy({
  inputs,
  backend,
}: Call<LinearSoftmaxCrossEntropyInputs>): Tensor[] {
  const { hidden, kernel, bias, targets, weights } = inputs;
  const [numPositions, hiddenSize] = hidden.shape;
  const losses = backend.allocate([numPositions]);
  nativeAddon().softmaxLoss(
    backend.floats(hidden),
    backend.floats(kernel),
    backend.floats(bias),
    backend.integers(targets),
    backend.floats(weights),
    backend.floats(losses),
    numPositions,
    hiddenSize,
    kernel.shape[1],
  );
  return [losses];
}

export function linearSoftmaxCrossEntropyGradient({
  inputs,
  attrs,
  backend,
}: Call<LinearSoftmaxCrossEntropyInputs, LabelSmoothing>): Tensor[] {
  const { hidden, kernel, bias, targets, weights } = inputs;
  const [numPositions, hiddenSize] = hidden.shape;
  const losses = backend.allocate([numPositions]);
  const hiddenGradient = backend.allocate(hidden.shape);
  const kernelGradient = backend.allocate(kernel.shape);
  const biasGradient = backend.allocate(bias.shape);
  nativeAddon().softmaxLossGradient(
    backend.floats(hidden),
    backend.floats(kernel),
    backend.floats(bias),
    backend.integers(targets),
    backend.floats(weights),
    ...oneLeaf(numPositions),
    backend.floats(losses),
    backend.floats(hiddenGradient),
    backend.floats(kernelGradient),
    backend.floats(biasGradient),
    1,
    numPositions,
    hiddenSize,
    kernel.shape[1],
    attrs.labelSmoothing,
  );
  return [losses, hiddenGradient, kernelGradient, biasGradient];
}

export function linearSoftmaxCrossEntropyGradients({
  inputs: { hidden, kernel, bias, targets, weights },
  attrs,
  backend,
}: Call<LinearSoftmaxLossInputs, SoftmaxLossAttributes>): Tensor[] {
  const [numSteps, numRows, hiddenSize] = hidden.shape;
  const vocabularySize = kernel.shape[1];
  const numNodes = attrs.nodes.length;
  const losses = backend.allocate([numSteps * numRows]);
  const hiddenGradient = backend.allocate(hidden.shape);
  const kernelGradients = backend.allocate([numNodes, hiddenSize, vocabularySize]);
  const biasGradients = backend.allocate([numNodes, vocabularySize]);
  nativeAddon().softmaxLossGradient(
    backend.floats(hidden),
    backend.floats(kernel),
    backend.floats(bias),
    backend.integers(targets),
    backend.floats(weights),
    ...treeOf(attrs),
    backend.floats(losses),
    backend.floats(hiddenGradient),
    backend.floats(kernelGradients),
    backend.floats(biasGradients),
    numSteps,
    numRows,
    hiddenSize,
    vocabularySize,
    attrs.labelSmoothing,
  );
  return [losses, hiddenGradient, kernelGradients, biasGradients];
}
