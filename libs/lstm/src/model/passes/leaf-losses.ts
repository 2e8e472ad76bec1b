import { concat, tensor1d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
} from "@ostinato/kernels/tensor";

import { asSequence } from "./carried-state.js";
import { outputsOfRows } from "./forward-pass.js";
import type { ModelTensors } from "./model-tensors.js";
import type { Progress } from "../progress.js";
import { inTensorScope } from "./tensor-scope.js";
import type { BatchLeaf, TokenBatch } from "../token-batch.js";

/** Sums over one leaf's positions. */
export interface LeafLoss {
  readonly lossSum: number;
  readonly lossWeight: number;
}

export interface LeafLossGradients {
  readonly losses: readonly LeafLoss[];
  /** A head.kernel gradient for each leaf. */
  readonly kernelGradients: readonly Float32Array[];
  /** A head.bias gradient for each leaf. */
  readonly biasGradients: readonly Float32Array[];
  /** [T,B,H], of all rows. */
  readonly hiddenGradient: Tensor3D;
}

/** @param hidden [T+1,B,H] of the last layer. */
export function leafLosses(
  tensors: ModelTensors,
  batch: TokenBatch,
  hidden: Tensor3D,
  progress: Progress,
): readonly LeafLoss[] {
  return batch.leaves.map((leaf) => {
    progress.alive();
    if (leaf.numRows === 0) return NO_LOSS;
    return inTensorScope(() => {
      const losses = linearSoftmaxCrossEntropy(lossInputs(tensors, batch, hidden, leaf));
      return sumOf(losses, batch, leaf);
    });
  });
}

/** @param hidden [T+1,B,H] of the last layer. */
export function leafLossGradients(
  tensors: ModelTensors,
  batch: TokenBatch,
  hidden: Tensor3D,
  progress: Progress,
): LeafLossGradients {
  const losses: LeafLoss[] = [];
  const kernelGradients: Float32Array[] = [];
  const biasGradients: Float32Array[] = [];
  const hiddenGradients: Tensor3D[] = [];
  for (const leaf of batch.leaves) {
    progress.alive();
    if (leaf.numRows === 0) {
      losses.push(NO_LOSS);
      kernelGradients.push(new Float32Array(tensors.headKernel.size));
      biasGradients.push(new Float32Array(tensors.headBias.size));
      continue;
    }
    const hiddenGradient = tidy(() => {
      const gradients = linearSoftmaxCrossEntropyGradient({
        ...lossInputs(tensors, batch, hidden, leaf),
        kernelTransposed: tensors.headKernelTransposed,
      });
      losses.push(sumOf(gradients.losses, batch, leaf));
      kernelGradients.push(gradients.kernelGradient.dataSync<"float32">());
      biasGradients.push(gradients.biasGradient.dataSync<"float32">());
      return asSequence(gradients.hiddenGradient, leaf.numRows);
    });
    hiddenGradients.push(hiddenGradient);
  }
  return { losses, kernelGradients, biasGradients, hiddenGradient: concat(hiddenGradients, 1) };
}

const NO_LOSS: LeafLoss = { lossSum: 0, lossWeight: 0 };

function lossInputs(
  { headKernel, headBias }: ModelTensors,
  batch: TokenBatch,
  hidden: Tensor3D,
  leaf: BatchLeaf,
): {
  readonly hidden: Tensor2D;
  readonly kernel: Tensor2D;
  readonly bias: Tensor1D;
  readonly targets: Tensor1D;
  readonly weights: Tensor1D;
} {
  return {
    hidden: outputsOfRows(hidden, leaf.firstRow, leaf.numRows),
    kernel: headKernel,
    bias: headBias,
    targets: tensor1d(positionsOfLeaf(batch.targets, batch, leaf), "int32"),
    weights: tensor1d(positionsOfLeaf(batch.weights, batch, leaf)),
  };
}

/** One leaf's positions out of a [T,B] array, in the order (time, row). */
export function positionsOfLeaf<Values extends Int32Array | Float32Array>(
  values: Values,
  { numSteps, numRows }: TokenBatch,
  leaf: BatchLeaf,
): Values {
  const positions = new (values.constructor as new (length: number) => Values)(
    numSteps * leaf.numRows,
  );
  for (let t = 0; t < numSteps; t++) {
    const start = t * numRows + leaf.firstRow;
    positions.set(values.subarray(start, start + leaf.numRows), t * leaf.numRows);
  }
  return positions;
}

/** In float64, in the order of positions. */
function sumOf(losses: Tensor1D, batch: TokenBatch, leaf: BatchLeaf): LeafLoss {
  let lossSum = 0;
  for (const loss of losses.dataSync<"float32">()) lossSum += loss;
  let lossWeight = 0;
  for (const weight of positionsOfLeaf(batch.weights, batch, leaf)) lossWeight += weight;
  return { lossSum, lossWeight };
}
