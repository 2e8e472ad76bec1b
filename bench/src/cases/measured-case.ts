/** One piece of work that can be measured, as plain JSON: our own process and a peer's both read it. */

export type Cell = "lstm" | "gru" | "rnn";

/** Recurrent layers alone, forward and backward, with all gradients. */
export interface RecurrentPass {
  readonly kind: "recurrentPass";
  readonly cell: Cell;
  readonly numSteps: number;
  readonly batchSize: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
}

export interface LanguageModelSizes {
  readonly kind: "languageModel";
  readonly vocabularySize: number;
  readonly embeddingSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
}

/** Values in, one value out at every time step, mean squared error. */
export interface ForecasterSizes {
  readonly kind: "forecaster";
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
}

/** A model, its global batch and its optimizer. */
export interface Training {
  readonly model: LanguageModelSizes | ForecasterSizes;
  readonly numSteps: number;
  readonly batchSize: number;
  readonly optimizer: "sgd" | "adam";
  readonly learningRate: number;
  readonly maxNorm: number;
}

/** Forward, backward, clipping by the global norm, the optimizer. */
export interface TrainingStep extends Training {
  readonly kind: "trainingStep";
  /** M: ours forms the gradient of each leaf and sums them; a peer has one batch. */
  readonly microShards: number;
}

/** What one of two workers computes of a step: the gradients of half of the leaves. */
export interface HalfGradients extends Training {
  readonly kind: "halfGradients";
  readonly microShards: number;
}

/** [rows,inner] × [inner,columns] */
export interface MatrixProduct {
  readonly kind: "matrixProduct";
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** One array copied to another: both are in no cache. */
export interface MemoryCopy {
  readonly kind: "memoryCopy";
  readonly bytes: number;
}

export type MeasuredCase =
  RecurrentPass | TrainingStep | HalfGradients | MatrixProduct | MemoryCopy;

/** Target positions of a step. */
export function tokensOf({
  numSteps,
  batchSize,
}: Pick<Training, "numSteps" | "batchSize">): number {
  return numSteps * batchSize;
}

const GATES: Readonly<Record<Cell, number>> = { lstm: 4, gru: 3, rnn: 1 };

/** Floating-point operations of the matrix products: one forward, two backward; a fused multiply-add is two. */
export function operationsOf(pass: RecurrentPass): number {
  const { cell, numSteps, batchSize, inputSize, hiddenSize, numLayers } = pass;
  const rows = inputSize + hiddenSize + (numLayers - 1) * 2 * hiddenSize;
  return 3 * 2 * numSteps * batchSize * rows * GATES[cell] * hiddenSize;
}
