/** Sums over the positions of a batch's leaves, added up along the gradient tree. */
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { KernelError } from "../kernel-error.js";
import { expectRank, expectShape, presentTensors, runKernel } from "./kernel-call.js";
import { KERNEL_NAMES } from "./kernel-names.js";
import type { KernelName } from "./kernel-names.js";
import type { LabelSmoothing } from "./linear-loss.js";

/** Rows of a batch that are one leaf. */
export interface LeafRows {
  readonly firstRow: number;
  /** May be 0. */
  readonly numRows: number;
}

/** Some leaves in a row of a call's list, by their places in it: a power of two of them, one node. */
export interface LeafSpan {
  readonly first: number;
  readonly count: number;
}

export interface LeafSumsCall {
  readonly leaves: readonly LeafRows[];
  /** Each leaf is in at most one. */
  readonly nodes: readonly LeafSpan[];
}

export interface LinearGradientsInputs {
  /** [T+,B,I], the layer's inputs, of which the first T steps are read. */
  readonly rows: Tensor3D;
  /**
   * [T+,B,J]: inputs of a further product that the first one was added to, likewise. Their kernel stands below that of
   * `rows`, as in a recurrent layer's that of its hidden states.
   */
  readonly furtherRows?: Tensor3D | undefined;
  /** [T,B,O], with respect to the layer's outputs. */
  readonly gradient: Tensor3D;
}

/**
 * Weight gradients of `matMulBias` over the positions of each node: of a leaf the sum in the order
 * (time, row), of a node the sum of its two halves.
 *
 * @returns [nodes,I+J,O] and [nodes,O]
 * @throws KernelError `invalidShape`, also for leaves that leave the batch and nodes that are none.
 */
export function linearGradients(call: LeafSumsCall & LinearGradientsInputs): {
  readonly kernelGradients: Tensor3D;
  readonly biasGradients: Tensor2D;
} {
  const { rows, furtherRows, gradient, leaves, nodes } = call;
  const kernelName = KERNEL_NAMES.linearGradients;
  expectRank(kernelName, "rows", rows, 3);
  expectRank(kernelName, "gradient", gradient, 3);
  const [numSteps, numRows, numOutputs] = gradient.shape;
  expectShape(kernelName, "gradient", gradient, [numSteps, rows.shape[1], numOutputs]);
  if (rows.shape[0] < numSteps) expectShape(kernelName, "rows", rows, [numSteps, numRows]);
  if (furtherRows !== undefined) {
    expectRank(kernelName, "furtherRows", furtherRows, 3);
    const [numFurtherSteps, , furtherInputs] = furtherRows.shape;
    const expected = [Math.max(numSteps, numFurtherSteps), numRows, furtherInputs];
    expectShape(kernelName, "furtherRows", furtherRows, expected);
  }
  checkTree(kernelName, call, numRows);
  const [kernelGradients, biasGradients] = runKernel(
    kernelName,
    presentTensors({ rows, furtherRows, gradient }),
    { leaves, nodes },
  ) as [Tensor3D, Tensor2D];
  return { kernelGradients, biasGradients };
}

/**
 * Gradient of `embeddingGather` with respect to the table over the positions of each node.
 *
 * @param call.ids [T·B] int32, each in [0, vocabularySize).
 * @param call.gradient [T,B,E]
 * @returns [nodes,vocabularySize,E]
 * @throws KernelError `invalidShape`
 */
export function embeddingGradients(
  call: LeafSumsCall & {
    readonly ids: Tensor1D;
    readonly gradient: Tensor3D;
    readonly vocabularySize: number;
  },
): Tensor3D {
  const { ids, gradient, leaves, nodes, vocabularySize } = call;
  const kernelName = KERNEL_NAMES.embeddingGradients;
  expectRank(kernelName, "gradient", gradient, 3);
  const [numSteps, numRows] = gradient.shape;
  expectShape(kernelName, "ids", ids, [numSteps * numRows]);
  checkTree(kernelName, call, numRows);
  const attributes = { leaves, nodes, vocabularySize };
  const [tables] = runKernel(kernelName, { ids, gradient }, attributes) as [Tensor3D];
  return tables;
}

export interface LinearSoftmaxLossInputs {
  /** [T,B,H] */
  readonly hidden: Tensor3D;
  /** [H,V] */
  readonly kernel: Tensor2D;
  /** [V] */
  readonly bias: Tensor1D;
  /** [T·B] int32, each in [0, V). */
  readonly targets: Tensor1D;
  /** [T·B]: each position's weight in the loss, 0 for a masked one. */
  readonly weights: Tensor1D;
}

/** What {@link linearSoftmaxCrossEntropyGradients} is told besides its tensors. */
export interface SoftmaxLossAttributes extends LeafSumsCall, LabelSmoothing {
  /** [V,H]; asked for by backends that multiply with it. */
  readonly kernelTransposed: () => Tensor2D;
}

export interface LinearSoftmaxLossGradients {
  /** [T·B]: weight × loss of each position. */
  readonly losses: Tensor1D;
  /** [T,B,H] */
  readonly hiddenGradient: Tensor3D;
  /** [nodes,H,V] */
  readonly kernelGradients: Tensor3D;
  /** [nodes,V] */
  readonly biasGradients: Tensor2D;
}

/**
 * What `linearSoftmaxCrossEntropyGradient` computes, of all leaves of a batch; each is in one node.
 *
 * @throws KernelError `invalidShape`
 */
export function linearSoftmaxCrossEntropyGradients(
  call: LinearSoftmaxLossInputs & SoftmaxLossAttributes,
): LinearSoftmaxLossGradients {
  const { hidden, kernel, bias, targets, weights, ...attributes } = call;
  const kernelName = KERNEL_NAMES.linearSoftmaxCrossEntropyGradients;
  expectRank(kernelName, "hidden", hidden, 3);
  expectRank(kernelName, "kernel", kernel, 2);
  const [numSteps, numRows, hiddenSize] = hidden.shape;
  const vocabularySize = kernel.shape[1];
  expectShape(kernelName, "kernel", kernel, [hiddenSize, vocabularySize]);
  expectShape(kernelName, "bias", bias, [vocabularySize]);
  expectShape(kernelName, "targets", targets, [numSteps * numRows]);
  expectShape(kernelName, "weights", weights, [numSteps * numRows]);
  checkTree(kernelName, call, numRows);
  const [losses, hiddenGradient, kernelGradients, biasGradients] = runKernel(
    kernelName,
    { hidden, kernel, bias, targets, weights },
    attributes,
  ) as [Tensor1D, Tensor3D, Tensor3D, Tensor2D];
  return { losses, hiddenGradient, kernelGradients, biasGradients };
}

function checkTree(kernelName: KernelName, { leaves, nodes }: LeafSumsCall, rows: number): void {
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
  for (const { firstRow, numRows } of leaves) {
    if (isCount(firstRow) && isCount(numRows) && firstRow + numRows <= rows) continue;
    throw new KernelError(
      "invalidShape",
      `${kernelName}: leaf of ${numRows} rows from ${firstRow} leaves the batch's ${rows} rows`,
    );
  }
  for (const { first, count } of nodes) {
    const isPowerOfTwo = isCount(count) && count > 0 && (count & (count - 1)) === 0;
    if (isPowerOfTwo && isCount(first) && first + count <= leaves.length) continue;
    throw new KernelError(
      "invalidShape",
      `${kernelName}: ${count} leaves from ${first} are no node of ${leaves.length} leaves`,
    );
  }
}
