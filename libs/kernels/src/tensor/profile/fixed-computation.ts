import { mul, ones, reshape, softmax, tanh, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Rank, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

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
} from "../contract/index.js";
import { engineFunctionValues } from "./engine-functions.js";
import { fixedLayers, tensorsIn } from "./fixed-layers.js";
import { fixedLeafSums } from "./fixed-leaf-sums.js";
import { fixedValues } from "./fixed-values.js";

/**
 * Every kernel once, on sizes that are no multiple of a vector's width, with values that reach the
 * curved part of each activation: a change of any operation's rounding changes the bytes. Then what
 * models take of tfjs itself, and of the engine.
 *
 * @returns the results' float32 values, and those of the engine's functions in float64, little-endian
 */
export function fixedComputation(): Uint8Array<ArrayBuffer> {
  const [numSteps, numRows, inputSize, hiddenSize, vocabularySize] = [9, 7, 13, 37, 29];
  const numPositions = numSteps * numRows;
  const values = fixedValues();
  const { vector, matrix } = values;
  const ids = (size: number): Tensor1D => values.ids(size, vocabularySize);

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
    const backward = lstmSequenceBackward({
      ...sequence,
      hiddenGradient: reshape(head.hiddenGradient, [numSteps, numRows, hiddenSize]),
      cellGradient: values.sequence(numSteps, numRows, hiddenSize),
      recurrentKernelTransposed: transpose(recurrentKernel),
    });
    const gateGradientRows: Tensor2D = reshape(backward.gateGradients, [
      numPositions,
      4 * hiddenSize,
    ]);
    const inputs = linearGradient(embedded, gateGradientRows);
    const inputGradient = matMulBias(gateGradientRows, transpose(inputKernel));
    // Logits up to ±100: probabilities below float32's smallest, whose losses come by another path.
    const extremeLosses = linearSoftmaxCrossEntropy({
      ...loss,
      hidden: matrix(numPositions, 1),
      kernel: mul(matrix(1, vocabularySize), 100),
    });
    return [
      // Products too, whose last bits the results that follow from them may round away.
      gates,
      inputGradient,
      loss.hidden,
      ...tensorsIn(sequence, head, backward, inputs),
      linearSoftmaxCrossEntropy(loss),
      extremeLosses,
      embeddingGradient(tokens, inputGradient, vocabularySize),
      ...fixedLayers(values),
      ...fixedLeafSums(values),
      // Attention's.
      softmax(matrix(numRows, hiddenSize)),
      tanh(matrix(numRows, hiddenSize)),
    ].map((tensor) => tensor.dataSync<"float32">());
  });
  return concatenate([...outputs, engineFunctionValues(values.next)]);
}

/** The values' bytes, little-endian, so that the digest is the same on any machine. */
function concatenate(arrays: readonly (Float32Array | Float64Array)[]): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(
    new ArrayBuffer(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)),
  );
  let offset = 0;
  for (const array of arrays) {
    for (const value of array) {
      if (array instanceof Float64Array) bytes.setFloat64(offset, value, true);
      else bytes.setFloat32(offset, value, true);
      offset += array.BYTES_PER_ELEMENT;
    }
  }
  return new Uint8Array(bytes.buffer);
}
