/** The reference loss kernels, composed of plain tfjs ops. Letters as in the contract. */
import {
  add,
  concat,
  exp,
  fused,
  logSumExp,
  matMul,
  mul,
  reshape,
  slice,
  sub,
  sum,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { gradientSums } from "../gradient-sums.js";
import type { LabelSmoothing, LinearSoftmaxCrossEntropyInputs } from "../contract/index.js";
import { positionsPerBlock } from "../loss-blocks.js";
import { oneHotRows } from "./one-hot.js";
import type { KernelCall } from "../registered-kernel.js";

export function linearSoftmaxCrossEntropy({
  inputs,
}: KernelCall<LinearSoftmaxCrossEntropyInputs>): Tensor[] {
  return tidy(() => {
    const blocks = blocksOfPositions(inputs).map(
      (block) => weightedLosses(block, inputs, 0).losses,
    );
    return [concat(blocks)];
  });
}

export function linearSoftmaxCrossEntropyGradient({
  inputs,
  attrs,
}: KernelCall<
  LinearSoftmaxCrossEntropyInputs & { kernelTransposed: Tensor2D },
  LabelSmoothing
>): Tensor[] {
  return tidy(() => {
    const { kernel, kernelTransposed } = inputs;
    const losses: Tensor1D[] = [];
    const hiddenGradients: Tensor2D[] = [];
    let kernelGradient: Tensor2D = zeros(kernel.shape);
    let biasGradient: Tensor1D = zeros([kernel.shape[1]]);
    for (const block of blocksOfPositions(inputs)) {
      const { labelSmoothing } = attrs;
      const {
        losses: losses_N,
        probabilities_NV,
        targets_NV,
      } = weightedLosses(block, inputs, labelSmoothing);
      const weights_N1 = reshape(block.weights, [-1, 1]);
      const dLogits_NV: Tensor2D = mul(sub(probabilities_NV, targets_NV), weights_N1);
      losses.push(losses_N);
      hiddenGradients.push(matMul(dLogits_NV, kernelTransposed));
      const sums = gradientSums(block.hidden, dLogits_NV);
      kernelGradient = add(kernelGradient, sums[0]);
      biasGradient = add(biasGradient, sums[1]);
    }
    return [concat(losses), concat(hiddenGradients, 0), kernelGradient, biasGradient];
  });
}

type LossBlock = Pick<LinearSoftmaxCrossEntropyInputs, "hidden" | "targets" | "weights">;

function blocksOfPositions(inputs: LinearSoftmaxCrossEntropyInputs): LossBlock[] {
  const { hidden, kernel, targets, weights } = inputs;
  const [numPositions, hiddenSize] = hidden.shape;
  const size = positionsPerBlock(kernel.shape[1]);
  if (numPositions <= size) return [inputs];
  const blocks: LossBlock[] = [];
  for (let first = 0; first < numPositions; first += size) {
    const count = Math.min(size, numPositions - first);
    blocks.push({
      hidden: slice(hidden, [first, 0], [count, hiddenSize]),
      targets: slice(targets, [first], [count]),
      weights: slice(weights, [first], [count]),
    });
  }
  return blocks;
}

function weightedLosses(
  block: LossBlock,
  { kernel, bias }: LinearSoftmaxCrossEntropyInputs,
  labelSmoothing: number,
): { losses: Tensor1D; probabilities_NV: Tensor2D; targets_NV: Tensor2D } {
  const logits_NV = fused.matMul({ a: block.hidden, b: kernel, bias }) as Tensor2D;
  const numClasses = kernel.shape[1];
  const oneHot_NV = oneHotRows(block.targets, numClasses);
  const targets_NV: Tensor2D =
    labelSmoothing === 0
      ? oneHot_NV
      : add(mul(oneHot_NV, 1 - labelSmoothing), labelSmoothing / numClasses);
  const logSum_N1 = logSumExp(logits_NV, 1, true);
  const targetLogit_N = sum(mul(logits_NV, targets_NV), 1);
  const losses: Tensor1D = mul(sub(reshape(logSum_N1, [-1]), targetLogit_N), block.weights);
  return { losses, probabilities_NV: exp(sub(logits_NV, logSum_N1)), targets_NV };
}
