import { ones, reshape } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { matMulBias, sequenceRows } from "@ostinato/kernels/tensor";

import type { Moments } from "../../statistics/index.js";
import type { BatchLeaf } from "../batch-leaves.js";
import type { ParameterTensors } from "./parameter-tensors.js";
import type { PassObserver } from "./pass-observer.js";
import type { Progress } from "./progress.js";
import { inTensorScope } from "./tensor-scope.js";

/** Takes a parameter tensor's gradient of each leaf, in the order of the batch's leaves. */
export type OnGradient = (tensor: string, perLeaf: readonly Float32Array[]) => void;

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

/** Computes {@link leafGradients} and hands them on, in the order of the names. */
export function emitLeafGradients(
  pass: Pass,
  names: readonly string[],
  gradientsOf: (leaf: BatchLeaf) => readonly Tensor[],
): void {
  for (const [index, perLeaf] of leafGradients(pass, names, gradientsOf).entries()) {
    pass.onGradient(names[index]!, perLeaf);
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
