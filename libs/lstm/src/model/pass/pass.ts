import { ones, reshape } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import { matMulBias, sequenceRows } from "@ostinato/kernels/tensor";
import type { LeafSpan } from "@ostinato/kernels/tensor";

import type { Moments } from "../../statistics/index.js";
import type { BatchLeaf } from "../batch-leaves.js";
import type { ParameterTensors } from "./parameter-tensors.js";
import type { PassObserver } from "./pass-observer.js";
import type { Progress } from "./progress.js";
import { inTensorScope } from "./tensor-scope.js";

/**
 * Takes a parameter tensor's gradient of each node of the pass, in their order; of each leaf where none
 * are asked for. The arrays are its own.
 */
export type OnGradient = (tensor: string, perNode: readonly Float32Array[]) => void;

/** What names a training step's random masks. */
export interface TrainingKey {
  readonly seed: number;
  readonly step: number;
}

/** What the layers of one pass over one batch share. Letters: T steps, B rows, C columns. */
export interface Pass {
  readonly parameters: ParameterTensors;
  /** B, of all leaves. */
  readonly numRows: number;
  readonly leaves: readonly BatchLeaf[];
  /** Nodes of the gradient tree, by the places of their leaves: what gradients are summed to. */
  readonly nodes: readonly LeafSpan[];
  /** Undefined in evaluation, where nothing is dropped or drawn. */
  readonly training: TrainingKey | undefined;
  readonly progress: Progress;
  readonly onGradient: OnGradient;
  readonly onStatistics: OnStatistics;
  readonly observer?: PassObserver | undefined;
  /** Mean and variance of a normalization, gathered in training; each [C]. */
  readonly runningStatistics: (name: string) => RunningMoments;
}

/** A normalization's mean and variance of each column in evaluation. */
export interface RunningMoments {
  /** [C] */
  readonly mean: Float64Array;
  /** [C] */
  readonly variance: Float64Array;
}

/** Takes a normalization's moments of each leaf, in the order of the batch's leaves. */
export type OnStatistics = (normalization: string, perLeaf: readonly Moments[]) => void;

/**
 * Gradients of some parameter tensors, leaf by leaf. What is summed over positions is formed for each
 * leaf by itself: then it does not depend on what else is in the batch.
 *
 * @param names of the tensors.
 * @param gradientsOf the gradients of one leaf that has rows, in the order of the names.
 * @returns for each name the gradients of the leaves, in their order.
 */
export function leafGradients(
  pass: Pass,
  names: readonly string[],
  gradientsOf: (leaf: BatchLeaf) => readonly Tensor[],
): readonly (readonly Float32Array[])[] {
  const perLeaf = pass.leaves.map((leaf): readonly Float32Array[] => {
    pass.progress.alive();
    if (leaf.numRows === 0) {
      return names.map((name) => new Float32Array(pass.parameters.sizeOf(name)));
    }
    return inTensorScope(() => gradientsOf(leaf).map((gradient) => gradient.dataSync<"float32">()));
  });
  return names.map((_, index) => perLeaf.map((gradients) => gradients[index]!));
}

/** What gradients are summed to: nodes by the places of their leaves, or the root of all. */
export type WantedNodes = readonly LeafSpan[] | "root";

/**
 * @param wanted each leaf by itself by default
 * @throws RangeError for the root of a number of leaves that is no power of two
 */
export function nodesOf(wanted: WantedNodes | undefined, numLeaves: number): readonly LeafSpan[] {
  if (wanted !== "root") return wanted ?? leafNodes(numLeaves);
  if (numLeaves > 0 && (numLeaves & (numLeaves - 1)) === 0) return [{ first: 0, count: numLeaves }];
  throw new RangeError(`${numLeaves} leaves have no binary tree; a power of two has`);
}

/** Each leaf as a node by itself. */
export const leafNodes = (numLeaves: number): readonly LeafSpan[] =>
  Array.from({ length: numLeaves }, (_, first) => ({ first, count: 1 }));

/** From arrays of the leaves to their sums at the pass's nodes. */
export function nodeSums(
  { nodes }: Pick<Pass, "nodes">,
  perLeaf: readonly Float32Array[],
): readonly Float32Array[] {
  return nodes.map(({ first, count }) =>
    count === 1 ? perLeaf[first]! : sumLeavesInTreeOrder(perLeaf.slice(first, first + count)),
  );
}

/** The parts of a tensor [nodes, …], each an array of its own. */
export function perNode(sums: Tensor): readonly Float32Array[] {
  const values = sums.dataSync<"float32">();
  const numNodes = sums.shape[0];
  if (numNodes === 1) return [values];
  const size = values.length / numNodes;
  return Array.from({ length: numNodes }, (_, n) => values.slice(n * size, (n + 1) * size));
}

/**
 * Computes {@link leafGradients} and hands on their sums at the pass's nodes, in the order of the names.
 */
export function emitLeafGradients(
  pass: Pass,
  names: readonly string[],
  gradientsOf: (leaf: BatchLeaf) => readonly Tensor[],
): void {
  for (const [index, perLeaf] of leafGradients(pass, names, gradientsOf).entries()) {
    pass.onGradient(names[index]!, nodeSums(pass, perLeaf));
  }
}

/** One leaf's positions of a [T,B,C] tensor: [T·rows,C], in the order (time, row). */
export function positionsOf(sequence: Tensor3D, { firstRow, numRows }: BatchLeaf): Tensor2D {
  return sequenceRows(sequence, { firstStep: 0, numSteps: sequence.shape[0], firstRow, numRows });
}

/** [N,C] → [C], added up in the order of positions; as a product, which is much faster than tf.sum. */
export function columnSums(rows: Tensor2D): Tensor1D {
  return reshape(matMulBias(ones([1, rows.shape[0]]), rows), [rows.shape[1]]);
}

/** [N,C] → [N/B,B,C]. */
export function asSequence(rows: Tensor2D, numRows: number): Tensor3D {
  return reshape(rows, [rows.shape[0] / numRows, numRows, rows.shape[1]]);
}

/** [T,B,C] → [T·B,C]. */
export function asRows(sequence: Tensor3D): Tensor2D {
  const [numSteps, numRows, numColumns] = sequence.shape;
  return reshape(sequence, [numSteps * numRows, numColumns]);
}

/** h_1 … h_T out of h_0 … h_T: [T+1,B,C] → [T,B,C]. */
export function afterFirst(sequence: Tensor3D): Tensor3D {
  const [numSteps, numRows] = sequence.shape;
  const block = { firstStep: 1, numSteps: numSteps - 1, firstRow: 0, numRows };
  return asSequence(sequenceRows(sequence, block), numRows);
}

/** h_0 … h_{T−1} of one leaf out of h_0 … h_T: [T+1,B,C] → [T·rows,C]. */
export function beforeLast(sequence: Tensor3D, { firstRow, numRows }: BatchLeaf): Tensor2D {
  const numSteps = sequence.shape[0] - 1;
  return sequenceRows(sequence, { firstStep: 0, numSteps, firstRow, numRows });
}
