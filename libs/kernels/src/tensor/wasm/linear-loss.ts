/**
 * Loss kernels for the wasm backend: XNNPACK's products and softmax, and loops over the wasm heap
 * for what is left of each position.
 */
import { fused, matMul, slice, softmax, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

import { gradientSums } from "../gradient-sums.js";
import type { LabelSmoothing, LinearSoftmaxCrossEntropyInputs } from "../contract/index.js";
import { positionsPerBlock } from "../loss-blocks.js";
import type { KernelCall } from "../registered-kernel.js";
import { allocate, floats, integers } from "./wasm-heap.js";
import type { WasmBackend } from "./wasm-heap.js";

export function linearSoftmaxCrossEntropy({
  inputs,
  backend,
}: KernelCall<LinearSoftmaxCrossEntropyInputs, unknown, WasmBackend>): Tensor[] {
  return tidy(() => {
    const losses = allocate(backend, inputs.targets.shape);
    forEachBlock(inputs, (first, hidden_NH) => {
      softmaxAndLosses(backend, inputs, hidden_NH, first, losses, 0);
    });
    return [losses];
  });
}

export function linearSoftmaxCrossEntropyGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<
  LinearSoftmaxCrossEntropyInputs & { kernelTransposed: Tensor2D },
  LabelSmoothing,
  WasmBackend
>): Tensor[] {
  return tidy(() => {
    const { kernel, kernelTransposed, targets, weights } = inputs;
    const [hiddenSize, vocabularySize] = kernel.shape;
    const losses = allocate(backend, targets.shape);
    const hiddenGradient = allocate(backend, inputs.hidden.shape);
    const kernelGradient = allocate(backend, kernel.shape);
    const biasGradient = allocate(backend, inputs.bias.shape);
    floats(backend, kernelGradient).fill(0);
    floats(backend, biasGradient).fill(0);
    forEachBlock(inputs, (first, hidden_NH) => {
      const { labelSmoothing } = attrs;
      const dLogits_NV = softmaxAndLosses(
        backend,
        inputs,
        hidden_NH,
        first,
        losses,
        labelSmoothing,
      );
      subtractTargets(
        floats(backend, dLogits_NV),
        integers(backend, targets).subarray(first),
        floats(backend, weights).subarray(first),
        vocabularySize,
        labelSmoothing,
      );
      const dHidden_NH = matMul(dLogits_NV, kernelTransposed);
      floats(backend, hiddenGradient).set(floats(backend, dHidden_NH), first * hiddenSize);
      const [kernelSum, biasSum] = gradientSums(hidden_NH, dLogits_NV);
      addInto(floats(backend, kernelGradient), floats(backend, kernelSum));
      addInto(floats(backend, biasGradient), floats(backend, biasSum));
    });
    return [losses, hiddenGradient, kernelGradient, biasGradient];
  });
}

/** Blocks whose size depends on the vocabulary alone; see `positionsPerBlock`. */
function forEachBlock(
  { hidden, kernel }: LinearSoftmaxCrossEntropyInputs,
  visit: (first: number, hidden_NH: Tensor2D) => void,
): void {
  const [numPositions, hiddenSize] = hidden.shape;
  const blockSize = positionsPerBlock(kernel.shape[1]);
  for (let first = 0; first < numPositions; first += blockSize) {
    tidy(() => {
      const count = Math.min(blockSize, numPositions - first);
      const isWhole = count === numPositions;
      visit(first, isWhole ? hidden : slice(hidden, [first, 0], [count, hiddenSize]));
    });
  }
}

/** @returns [N,V]: the probabilities. The losses of the block's positions are written. */
function softmaxAndLosses(
  backend: WasmBackend,
  { kernel, bias, targets, weights }: LinearSoftmaxCrossEntropyInputs,
  hidden_NH: Tensor2D,
  first: number,
  losses: Tensor,
  labelSmoothing: number,
): Tensor2D {
  const logits_NV = fused.matMul({ a: hidden_NH, b: kernel, bias }) as Tensor2D;
  const probabilities_NV: Tensor2D = softmax(logits_NV);
  const vocabularySize = kernel.shape[1];
  const logits = floats(backend, logits_NV);
  const probabilities = floats(backend, probabilities_NV);
  const [lossOf, targetOf, weightOf] = [
    floats(backend, losses),
    integers(backend, targets),
    floats(backend, weights),
  ];
  for (let n = 0; n < hidden_NH.shape[0]; n++) {
    const target = targetOf[first + n]!;
    const probability = probabilities[n * vocabularySize + target]!;
    // A probability near float32's smallest has lost its bits: take the loss from the logits.
    const ofPosition = logits.subarray(n * vocabularySize, (n + 1) * vocabularySize);
    const loss = probability > 1e-30 ? -Math.log(probability) : crossEntropy(ofPosition, target);
    const smoothing =
      labelSmoothing === 0 ? 0 : labelSmoothing * (ofPosition[target]! - meanOf(ofPosition));
    lossOf[first + n] = (loss + smoothing) * weightOf[first + n]!;
  }
  return probabilities_NV;
}

/** −log softmax(logits)[target], in float64. */
function crossEntropy(logits: Float32Array, target: number): number {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum) - logits[target]!;
}

/** In float64. */
function meanOf(logits: Float32Array): number {
  let sum = 0;
  for (const logit of logits) sum += logit;
  return sum / logits.length;
}

/**
 * Probabilities [N,V] → gradient of the logits, (p − target's share) × weight, in place. The share is
 * 1 at the target, or with label smoothing ε/V everywhere and 1 − ε more at the target.
 */
function subtractTargets(
  probabilities: Float32Array,
  targets: Int32Array,
  weights: Float32Array,
  vocabularySize: number,
  labelSmoothing: number,
): void {
  const share = labelSmoothing / vocabularySize;
  for (let n = 0, first = 0; first < probabilities.length; n++, first += vocabularySize) {
    const weight = weights[n]!;
    const target = first + targets[n]!;
    probabilities[target] = probabilities[target]! - (1 - labelSmoothing);
    if (share > 0) {
      for (let k = first; k < first + vocabularySize; k++) {
        probabilities[k] = probabilities[k]! - share;
      }
    }
    if (weight === 1) continue;
    for (let k = first; k < first + vocabularySize; k++) {
      probabilities[k] = probabilities[k]! * weight;
    }
  }
}

function addInto(sums: Float32Array, terms: Float32Array): void {
  for (let k = 0; k < sums.length; k++) sums[k] = sums[k]! + terms[k]!;
}
