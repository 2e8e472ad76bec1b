/** Leaf by leaf with the backend's own kernels, then along the tree: for any tfjs backend. */
import { concat, reshape, tensor, tensor1d, tidy, zeros } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { sumLeavesInTreeOrder } from "../../flat/index.js";
import {
  embeddingGradient,
  linearGradient,
  linearSoftmaxCrossEntropyGradient,
  sequenceRows,
} from "../contract/index.js";
import type {
  LeafRows,
  LeafSpan,
  LeafSumsCall,
  LinearGradientsInputs,
  LinearSoftmaxLossInputs,
  SoftmaxLossAttributes,
} from "../contract/index.js";
import type { KernelCall } from "../registered-kernel.js";
import { valuesOfLeaf } from "../values-of-leaf.js";

export function linearGradients({
  inputs: { rows, furtherRows, gradient },
  attrs: { leaves, nodes },
}: KernelCall<LinearGradientsInputs, LeafSumsCall>): Tensor[] {
  return tidy(() => {
    const [numSteps, , numOutputs] = gradient.shape;
    const numInputs = rows.shape[2] + (furtherRows?.shape[2] ?? 0);
    const sizes = [[numInputs, numOutputs], [numOutputs]];
    return nodeSums(nodes, sizes, leaves, (leaf) => {
      const ofLeaf = leafRows(gradient, numSteps, leaf);
      const gradientsOf = (sequence: Tensor3D): ReturnType<typeof linearGradient> =>
        linearGradient(leafRows(sequence, numSteps, leaf), ofLeaf);
      const { kernelGradient, biasGradient } = gradientsOf(rows);
      if (furtherRows === undefined) return [kernelGradient, biasGradient];
      return [concat([kernelGradient, gradientsOf(furtherRows).kernelGradient]), biasGradient];
    });
  });
}

export function embeddingGradients({
  inputs: { ids, gradient },
  attrs: { leaves, nodes, vocabularySize },
}: KernelCall<
  { ids: Tensor1D; gradient: Tensor3D },
  LeafSumsCall & { readonly vocabularySize: number }
>): Tensor[] {
  return tidy(() => {
    const [numSteps, numRows, embeddingSize] = gradient.shape;
    const all = ids.dataSync<"int32">();
    return nodeSums(nodes, [[vocabularySize, embeddingSize]], leaves, (leaf) => {
      const own = tensor1d(valuesOfLeaf(all, numSteps, numRows, leaf), "int32");
      return [embeddingGradient(own, leafRows(gradient, numSteps, leaf), vocabularySize)];
    });
  });
}

export function linearSoftmaxCrossEntropyGradients({
  inputs: { hidden, kernel, bias, targets, weights },
  attrs: { leaves, nodes, labelSmoothing, kernelTransposed },
}: KernelCall<LinearSoftmaxLossInputs, SoftmaxLossAttributes>): Tensor[] {
  return tidy(() => {
    const [numSteps, numRows, hiddenSize] = hidden.shape;
    const allTargets = targets.dataSync<"int32">();
    const allWeights = weights.dataSync<"float32">();
    const losses = new Float32Array(numSteps * numRows);
    const hiddenGradients: Tensor3D[] = [];
    const transposed = kernelTransposed();
    const sums = nodeSums(nodes, [kernel.shape, bias.shape], leaves, (leaf) => {
      const found = linearSoftmaxCrossEntropyGradient({
        hidden: leafRows(hidden, numSteps, leaf),
        kernel,
        bias,
        targets: tensor1d(valuesOfLeaf(allTargets, numSteps, numRows, leaf), "int32"),
        weights: tensor1d(valuesOfLeaf(allWeights, numSteps, numRows, leaf)),
        kernelTransposed: transposed,
        labelSmoothing,
      });
      const ofLeaf = found.losses.dataSync<"float32">();
      for (let t = 0; t < numSteps; t++) {
        const own = ofLeaf.subarray(t * leaf.numRows, (t + 1) * leaf.numRows);
        losses.set(own, t * numRows + leaf.firstRow);
      }
      hiddenGradients.push(reshape(found.hiddenGradient, [numSteps, leaf.numRows, hiddenSize]));
      return [found.kernelGradient, found.biasGradient];
    });
    const hiddenGradient =
      hiddenGradients.length === 0 ? zeros(hidden.shape) : concat(hiddenGradients, 1);
    return [tensor1d(losses), hiddenGradient, ...sums];
  });
}

/** @param sumsOf gives one leaf's sums, of the given shapes; not asked for a leaf without rows. */
function nodeSums(
  nodes: readonly LeafSpan[],
  shapes: readonly (readonly number[])[],
  leaves: readonly LeafRows[],
  sumsOf: (leaf: LeafRows) => readonly Tensor[],
): Tensor[] {
  const perLeaf = leaves.map((leaf) =>
    leaf.numRows === 0
      ? shapes.map((shape) => new Float32Array(sizeOf(shape)))
      : sumsOf(leaf).map((sum) => sum.dataSync<"float32">()),
  );
  return shapes.map((shape, index) => {
    const size = sizeOf(shape);
    const all = new Float32Array(nodes.length * size);
    for (const [n, { first, count }] of nodes.entries()) {
      const own = perLeaf.slice(first, first + count).map((sums) => sums[index]!);
      all.set(sumLeavesInTreeOrder(own), n * size);
    }
    return tensor(all, [nodes.length, ...shape]);
  });
}

const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, length) => size * length, 1);

function leafRows(sequence: Tensor3D, numSteps: number, leaf: LeafRows): Tensor2D {
  return sequenceRows(sequence, { firstStep: 0, numSteps, ...rowsOnly(leaf) });
}

const rowsOnly = ({ firstRow, numRows }: LeafRows): LeafRows => ({ firstRow, numRows });
