import { mul, ones, reshape, tensor1d, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Rank, Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import {
  embeddingGather,
  embeddingGradient,
  linearGradient,
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  lstmSequenceBackward,
  lstmSequenceForward,
  matMulBias,
  sequenceRows,
} from "./contract/index.js";

/**
 * Every kernel once, on sizes that are no multiple of a vector's width, with values that reach the
 * curved part of each activation: a change of any operation's rounding changes the bytes.
 *
 * @returns the results' float32 values, little-endian
 */
export function fixedComputation(): Uint8Array<ArrayBuffer> {
  const [numSteps, numRows, inputSize, hiddenSize, vocabularySize] = [9, 7, 13, 37, 29];
  const numPositions = numSteps * numRows;
  const next = fixedValues();
  const vector = (size: number): Tensor1D => tensor1d(Float32Array.from({ length: size }, next));
  const matrix = (rows: number, columns: number): Tensor2D =>
    reshape(vector(rows * columns), [rows, columns]);
  const ids = (size: number): Tensor1D =>
    tensor1d(
      Int32Array.from({ length: size }, () => Math.floor((next() + 1) * 0.5 * vocabularySize)),
      "int32",
    );

  const outputs = tidy(() => {
    const tokens = ids(numPositions);
    const embedded = embeddingGather(matrix(vocabularySize, inputSize), tokens);
    const inputKernel = matrix(inputSize, 4 * hiddenSize);
    const recurrentKernel = matrix(hiddenSize, 4 * hiddenSize);
    const gates = matMulBias(embedded, inputKernel, vector(4 * hiddenSize));
    const sequence = lstmSequenceForward({
      inputGates: reshape(gates, [numSteps, numRows, 4 * hiddenSize]),
      recurrentKernel,
      initialHidden: matrix(numRows, hiddenSize),
      initialCell: matrix(numRows, hiddenSize),
    });
    const block = { firstStep: 1, numSteps, firstRow: 0, numRows };
    const kernel = matrix(hiddenSize, vocabularySize);
    const loss = {
      hidden: sequenceRows(sequence.hidden, block),
      kernel,
      kernelTransposed: transpose(kernel),
      bias: vector(vocabularySize),
      targets: ids(numPositions),
      weights: ones<Rank.R1>([numPositions]),
    };
    const head = linearSoftmaxCrossEntropyGradient(loss);
    const { gateGradients } = lstmSequenceBackward({
      ...sequence,
      hiddenGradient: reshape(head.hiddenGradient, [numSteps, numRows, hiddenSize]),
      recurrentKernelTransposed: transpose(recurrentKernel),
    });
    const gateGradientRows: Tensor2D = reshape(gateGradients, [numPositions, 4 * hiddenSize]);
    const inputs = linearGradient(embedded, gateGradientRows);
    const inputGradient = matMulBias(gateGradientRows, transpose(inputKernel));
    // Logits up to ±100: probabilities below float32's smallest, whose losses come by another path.
    const extremeLosses = linearSoftmaxCrossEntropy({
      ...loss,
      hidden: matrix(numPositions, 1),
      kernel: mul(matrix(1, vocabularySize), 100),
    });
    const tensors: Tensor[] = [
      sequence.hidden,
      sequence.cell,
      sequence.gates,
      sequence.cellActivations,
      linearSoftmaxCrossEntropy(loss),
      extremeLosses,
      head.losses,
      head.hiddenGradient,
      head.kernelGradient,
      head.biasGradient,
      gateGradients,
      inputs.kernelGradient,
      inputs.biasGradient,
      embeddingGradient(tokens, inputGradient, vocabularySize),
    ];
    return tensors.map((tensor) => tensor.dataSync<"float32">());
  });
  return concatenate(outputs);
}

/** The values as little-endian float32 bytes, so that the digest is the same on any machine. */
function concatenate(arrays: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(
    new ArrayBuffer(4 * arrays.reduce((sum, { length }) => sum + length, 0)),
  );
  let offset = 0;
  for (const array of arrays) {
    for (const value of array) {
      bytes.setFloat32(offset, value, true);
      offset += 4;
    }
  }
  return new Uint8Array(bytes.buffer);
}

/** Values in [-1, 1) of a 32-bit linear congruential generator (Numerical Recipes), exact in float32. */
function fixedValues(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
}
