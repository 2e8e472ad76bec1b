/**
 * The kernel contract: the operations that take the time, by shape, whichever backend computes them.
 *
 * Each function checks shapes, then runs the kernel that the selected tfjs backend has registered
 * under its `Ostinato…` name, so a faster one can be registered per backend without a caller knowing.
 * What every registered kernel must hold:
 * - A row's result does not depend on the other rows of the batch, bit for bit.
 * - Outputs are new tensors, tracked by the caller's tidy scope; inputs are neither kept nor changed.
 * - `onTimeSteps` may throw: then nothing is left allocated.
 *
 * Letters: T time steps, B rows of the batch, H hidden size, N positions (any number of rows),
 * I inputs, O outputs, V vocabulary, E embedding size.
 */
import { engine, tidy } from "@tensorflow/tfjs-core";
import type { NamedAttrMap, NamedTensorMap, Tensor } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { KernelError } from "./kernel-error.js";

/** Names under which kernels are registered with `registerKernel`. */
export const KERNEL_NAMES = {
  lstmSequenceForward: "OstinatoLstmSequenceForward",
  lstmSequenceBackward: "OstinatoLstmSequenceBackward",
  linearSoftmaxCrossEntropy: "OstinatoLinearSoftmaxCrossEntropy",
  linearSoftmaxCrossEntropyGradient: "OstinatoLinearSoftmaxCrossEntropyGradient",
  embeddingGather: "OstinatoEmbeddingGather",
  embeddingGradient: "OstinatoEmbeddingGradient",
  matMulBias: "OstinatoMatMulBias",
  linearGradient: "OstinatoLinearGradient",
  sequenceRows: "OstinatoSequenceRows",
} as const;

export type KernelName = (typeof KERNEL_NAMES)[keyof typeof KERNEL_NAMES];

/** At most this many time steps pass between two calls of `onTimeSteps`. */
export const TIME_STEPS_PER_REPORT = 16;

/** Told how many time steps of this sequence are done; it may throw to stop the kernel. */
export type OnTimeSteps = (timeSteps: number) => void;

export interface LstmSequenceForwardInputs {
  /** [T,B,4H]: the input's share of the gates with the bias, x·Wx + b; columns i, f, g, o. */
  readonly inputGates: Tensor3D;
  /** [H,4H]: the rows of the LSTM's kernel that multiply the hidden state. */
  readonly recurrentKernel: Tensor2D;
  /** [B,H] */
  readonly initialHidden: Tensor2D;
  /** [B,H] */
  readonly initialCell: Tensor2D;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/** What the forward pass returns; backward needs all of it. */
export interface LstmSequence {
  /** [T+1,B,H]: the initial hidden state, then h_t of each step. */
  readonly hidden: Tensor3D;
  /** [T+1,B,H]: the initial cell state, then c_t of each step. */
  readonly cell: Tensor3D;
  /** [T,B,4H]: the gates after their activations, columns i, f, g, o. */
  readonly gates: Tensor3D;
  /** [T,B,H]: tanh(c_t). */
  readonly cellActivations: Tensor3D;
}

/**
 * All time steps of an LSTM layer: z = inputGates + h·Wh; i, f, o = σ(z), g = tanh(z);
 * c' = f∘c + i∘g; h' = o∘tanh(c').
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function lstmSequenceForward(inputs: LstmSequenceForwardInputs): LstmSequence {
  const { inputGates, recurrentKernel, initialHidden, initialCell, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.lstmSequenceForward;
  expectRank(kernelName, "inputGates", inputGates, 3);
  const hiddenSize = recurrentKernel.shape[0];
  const [numSteps, numRows] = inputGates.shape;
  expectShape(kernelName, "recurrentKernel", recurrentKernel, [hiddenSize, 4 * hiddenSize]);
  expectShape(kernelName, "inputGates", inputGates, [numSteps, numRows, 4 * hiddenSize]);
  expectShape(kernelName, "initialHidden", initialHidden, [numRows, hiddenSize]);
  expectShape(kernelName, "initialCell", initialCell, [numRows, hiddenSize]);
  const [hidden, cell, gates, cellActivations] = runKernel(
    kernelName,
    { inputGates, recurrentKernel, initialHidden, initialCell },
    { onTimeSteps },
  ) as [Tensor3D, Tensor3D, Tensor3D, Tensor3D];
  return { hidden, cell, gates, cellActivations };
}

export interface LstmSequenceBackwardInputs {
  /** [T,B,H]: the loss's gradient with respect to each h_t, from what reads the layer's output. */
  readonly hiddenGradient: Tensor3D;
  /** [T,B,4H], of the forward pass. */
  readonly gates: Tensor3D;
  /** [T+1,B,H], of the forward pass. */
  readonly cell: Tensor3D;
  /** [T,B,H], of the forward pass. */
  readonly cellActivations: Tensor3D;
  /** [4H,H]: transposed by the caller once per parameter version, not once per call. */
  readonly recurrentKernelTransposed: Tensor2D;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/**
 * Backward through all time steps. The state after the last step gets no gradient from later ones
 * (truncated backpropagation through time).
 *
 * @returns [T,B,4H]: the gradient with respect to z, the gates before their activations. The
 *   gradients of inputs and weights are products with it.
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function lstmSequenceBackward(inputs: LstmSequenceBackwardInputs): Tensor3D {
  const { hiddenGradient, gates, cell, cellActivations, recurrentKernelTransposed } = inputs;
  const kernelName = KERNEL_NAMES.lstmSequenceBackward;
  expectRank(kernelName, "hiddenGradient", hiddenGradient, 3);
  const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
  expectShape(kernelName, "gates", gates, [numSteps, numRows, 4 * hiddenSize]);
  expectShape(kernelName, "cell", cell, [numSteps + 1, numRows, hiddenSize]);
  expectShape(kernelName, "cellActivations", cellActivations, [numSteps, numRows, hiddenSize]);
  expectShape(kernelName, "recurrentKernelTransposed", recurrentKernelTransposed, [
    4 * hiddenSize,
    hiddenSize,
  ]);
  const [gateGradients] = runKernel(
    kernelName,
    { hiddenGradient, gates, cell, cellActivations, recurrentKernelTransposed },
    { onTimeSteps: inputs.onTimeSteps },
  ) as [Tensor3D];
  return gateGradients;
}

export interface LinearSoftmaxCrossEntropyInputs {
  /** [N,H] */
  readonly hidden: Tensor2D;
  /** [H,V] */
  readonly kernel: Tensor2D;
  /** [V] */
  readonly bias: Tensor1D;
  /** [N] int32, each in [0, V). */
  readonly targets: Tensor1D;
  /** [N]: each position's weight in the loss, 0 for a masked one. */
  readonly weights: Tensor1D;
}

/**
 * Cross-entropy of softmax(hidden·kernel + bias) against `targets`, in nats, in blocks of rows so
 * that the logits of all positions are never held at once.
 *
 * @returns [N]: weight × loss of each position.
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function linearSoftmaxCrossEntropy(inputs: LinearSoftmaxCrossEntropyInputs): Tensor1D {
  const { hidden, kernel, bias, targets, weights } = inputs;
  const kernelName = KERNEL_NAMES.linearSoftmaxCrossEntropy;
  expectLossShapes(kernelName, inputs);
  const [losses] = runKernel(kernelName, { hidden, kernel, bias, targets, weights }) as [Tensor1D];
  return losses;
}

export interface LinearSoftmaxCrossEntropyGradients {
  /** [N]: weight × loss of each position. */
  readonly losses: Tensor1D;
  /** [N,H] */
  readonly hiddenGradient: Tensor2D;
  /** [H,V]: summed over the positions given. */
  readonly kernelGradient: Tensor2D;
  /** [V]: summed over the positions given. */
  readonly biasGradient: Tensor1D;
}

/**
 * The losses of {@link linearSoftmaxCrossEntropy} and the gradients of their sum, in one pass over
 * the blocks. Weight gradients are sums over positions: call it with the positions of one leaf.
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function linearSoftmaxCrossEntropyGradient(
  inputs: LinearSoftmaxCrossEntropyInputs & {
    /** [V,H]: transposed by the caller once per parameter version, not once per leaf. */
    readonly kernelTransposed: Tensor2D;
  },
): LinearSoftmaxCrossEntropyGradients {
  const { hidden, kernel, kernelTransposed, bias, targets, weights } = inputs;
  const kernelName = KERNEL_NAMES.linearSoftmaxCrossEntropyGradient;
  expectLossShapes(kernelName, inputs);
  expectShape(kernelName, "kernelTransposed", kernelTransposed, [kernel.shape[1], kernel.shape[0]]);
  const [losses, hiddenGradient, kernelGradient, biasGradient] = runKernel(kernelName, {
    hidden,
    kernel,
    kernelTransposed,
    bias,
    targets,
    weights,
  }) as [Tensor1D, Tensor2D, Tensor2D, Tensor1D];
  return { losses, hiddenGradient, kernelGradient, biasGradient };
}

/**
 * Rows of `table` [V,E] by id.
 *
 * @param ids [N] int32, each in [0, V); an id outside reads memory that is not the table's.
 * @returns [N,E]
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function embeddingGather(table: Tensor2D, ids: Tensor1D): Tensor2D {
  const kernelName = KERNEL_NAMES.embeddingGather;
  expectRank(kernelName, "table", table, 2);
  expectRank(kernelName, "ids", ids, 1);
  const [rows] = runKernel(kernelName, { table, ids }) as [Tensor2D];
  return rows;
}

/**
 * Gradient of {@link embeddingGather} with respect to the table, dense: row v is the sum of the
 * gradient rows whose id is v, added in the order of positions.
 *
 * @param ids [N] int32, each in [0, vocabularySize).
 * @param gradient [N,E]
 * @returns [vocabularySize,E]
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function embeddingGradient(
  ids: Tensor1D,
  gradient: Tensor2D,
  vocabularySize: number,
): Tensor2D {
  const kernelName = KERNEL_NAMES.embeddingGradient;
  expectRank(kernelName, "gradient", gradient, 2);
  expectShape(kernelName, "ids", ids, [gradient.shape[0]]);
  const [table] = runKernel(kernelName, { ids, gradient }, { vocabularySize }) as [Tensor2D];
  return table;
}

/**
 * rows [N,I] × kernel [I,O] + bias [O], or without a bias.
 *
 * @returns [N,O]
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function matMulBias(rows: Tensor2D, kernel: Tensor2D, bias?: Tensor1D): Tensor2D {
  const kernelName = KERNEL_NAMES.matMulBias;
  expectRank(kernelName, "kernel", kernel, 2);
  expectShape(kernelName, "rows", rows, [rows.shape[0], kernel.shape[0]]);
  if (bias !== undefined) expectShape(kernelName, "bias", bias, [kernel.shape[1]]);
  const inputs: NamedTensorMap = bias === undefined ? { rows, kernel } : { rows, kernel, bias };
  const [product] = runKernel(kernelName, inputs) as [Tensor2D];
  return product;
}

/**
 * Weight gradients of {@link matMulBias}, summed over the positions given: call it with the
 * positions of one leaf.
 *
 * @param rows [N,I], the layer's inputs.
 * @param gradient [N,O], with respect to the layer's outputs.
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function linearGradient(
  rows: Tensor2D,
  gradient: Tensor2D,
): { readonly kernelGradient: Tensor2D; readonly biasGradient: Tensor1D } {
  const kernelName = KERNEL_NAMES.linearGradient;
  expectRank(kernelName, "rows", rows, 2);
  expectShape(kernelName, "gradient", gradient, [rows.shape[0], gradient.shape[1]]);
  const [kernelGradient, biasGradient] = runKernel(kernelName, { rows, gradient }) as [
    Tensor2D,
    Tensor1D,
  ];
  return { kernelGradient, biasGradient };
}

/** A block of consecutive time steps and consecutive batch rows of a [T,B,C] tensor. */
export interface SequenceBlock {
  readonly firstStep: number;
  readonly numSteps: number;
  readonly firstRow: number;
  readonly numRows: number;
}

/**
 * The positions of one block, such as one leaf, out of a time-major tensor.
 *
 * @param sequence [T,B,C]
 * @returns [numSteps·numRows,C], in the order (time, row).
 * @throws KernelError `invalidShape`, also for a block that leaves the tensor.
 */
export function sequenceRows(sequence: Tensor3D, block: SequenceBlock): Tensor2D {
  const kernelName = KERNEL_NAMES.sequenceRows;
  expectRank(kernelName, "sequence", sequence, 3);
  const [numSteps, numRows] = sequence.shape;
  if (!isWithin(block.firstStep, block.numSteps, numSteps)) {
    throw outOfRange(kernelName, "steps", block.firstStep, block.numSteps, numSteps);
  }
  if (!isWithin(block.firstRow, block.numRows, numRows)) {
    throw outOfRange(kernelName, "rows", block.firstRow, block.numRows, numRows);
  }
  const [rows] = runKernel(kernelName, { sequence }, block) as [Tensor2D];
  return rows;
}

function isWithin(first: number, count: number, total: number): boolean {
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
  return isCount(first) && isCount(count) && first + count <= total;
}

function outOfRange(
  kernelName: KernelName,
  what: string,
  first: number,
  count: number,
  total: number,
): KernelError {
  return new KernelError(
    "invalidShape",
    `${kernelName}: block of ${count} ${what} from ${first} leaves the tensor's ${total} ${what}`,
  );
}

function runKernel(name: KernelName, inputs: NamedTensorMap, attributes: object = {}): Tensor[] {
  return tidy(() => {
    // Attributes reach the kernel as they are; tfjs types them as JSON values for saved graphs only.
    const outputs: Tensor | Tensor[] = engine().runKernel(name, inputs, attributes as NamedAttrMap);
    return Array.isArray(outputs) ? outputs : [outputs];
  });
}

function expectLossShapes(kernelName: KernelName, inputs: LinearSoftmaxCrossEntropyInputs): void {
  expectRank(kernelName, "kernel", inputs.kernel, 2);
  const [numPositions] = inputs.hidden.shape;
  const numClasses = inputs.kernel.shape[1];
  expectShape(kernelName, "hidden", inputs.hidden, [numPositions, inputs.kernel.shape[0]]);
  expectShape(kernelName, "bias", inputs.bias, [numClasses]);
  expectShape(kernelName, "targets", inputs.targets, [numPositions]);
  expectShape(kernelName, "weights", inputs.weights, [numPositions]);
}

/** Of the tensor whose sizes the others are held against. */
function expectRank(kernelName: KernelName, name: string, tensor: Tensor, rank: number): void {
  if (tensor.shape.length === rank) return;
  throw new KernelError(
    "invalidShape",
    `${kernelName}: ${name} has shape [${tensor.shape.join(", ")}], expected ${rank} dimensions`,
  );
}

function expectShape(
  kernelName: KernelName,
  name: string,
  tensor: Tensor,
  expected: readonly number[],
): void {
  if (tensor.shape.length === expected.length && expected.every((n, i) => n === tensor.shape[i])) {
    return;
  }
  throw new KernelError(
    "invalidShape",
    `${kernelName}: ${name} has shape [${tensor.shape.join(", ")}], expected [${expected.join(", ")}]`,
  );
}
