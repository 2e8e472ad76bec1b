/**
 * Recurrent layers through the kernels' contract, in the order in which a model's layers call it: input
 * product of all steps, sequence forward; sequence backward, weight gradients, input gradient. What a
 * model derives once from each version of its parameters, such as a transpose, is made in each pass.
 */
import {
  dispose,
  keep,
  randomNormal,
  reshape,
  tidy,
  transpose,
  zeros,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  gruSequenceBackward,
  gruSequenceForward,
  linearGradient,
  linearGradients,
  lstmSequenceBackward,
  lstmSequenceForward,
  matMulBias,
  rnnSequenceBackward,
  rnnSequenceForward,
  sequenceRows,
} from "@ostinato/kernels/tensor";

import type { LeafSumsCall, RepeatedWork } from "@ostinato/kernels/tensor";
import type { RecurrentPass } from "../cases/index.js";

interface LayerWeights {
  /** [I,G·H] */
  readonly inputKernel: Tensor2D;
  /** [H,G·H] */
  readonly recurrentKernel: Tensor2D;
  readonly bias: Tensor1D;
  /** [H]; of a GRU. */
  readonly candidateBias: Tensor1D;
}

interface LayerRun {
  /** [T+1,B,H] */
  readonly hidden: Tensor3D;
  readonly backward: (gradient: Tensor3D) => { gates: Tensor3D; recurrent: Tensor3D };
}

/** The whole batch. */
const oneLeaf = (numRows: number): LeafSumsCall => ({
  leaves: [{ firstRow: 0, numRows }],
  nodes: [{ first: 0, count: 1 }],
});

const GATES = { lstm: 4, gru: 3, rnn: 1 } as const;

export function recurrentPass(sizes: RecurrentPass): RepeatedWork {
  const { cell, numSteps, batchSize, inputSize, hiddenSize, numLayers } = sizes;
  const width = GATES[cell] * hiddenSize;
  const deviation = 1 / Math.sqrt(hiddenSize);
  const normal = (shape: number[]) => keep(randomNormal(shape, 0, deviation));
  const layers = Array.from({ length: numLayers }, (_, layer): LayerWeights => ({
    inputKernel: normal([layer === 0 ? inputSize : hiddenSize, width]) as Tensor2D,
    recurrentKernel: normal([hiddenSize, width]) as Tensor2D,
    bias: normal([width]) as Tensor1D,
    candidateBias: normal([hiddenSize]) as Tensor1D,
  }));
  const inputs = normal([numSteps, batchSize, inputSize]) as Tensor3D;
  const gradient = normal([numSteps, batchSize, hiddenSize]) as Tensor3D;
  const initial: Tensor2D = keep(zeros([batchSize, hiddenSize]));

  /** [T,B,C] or the first T of [T+1,B,C] → [T·B,C]. */
  const positions = (sequence: Tensor3D): Tensor2D =>
    sequenceRows(sequence, { firstStep: 0, numSteps, firstRow: 0, numRows: batchSize });
  const asSequence = (rows: Tensor2D): Tensor3D =>
    reshape(rows, [numSteps, batchSize, rows.shape[1]]);
  const outputsOf = (hidden: Tensor3D): Tensor3D =>
    asSequence(sequenceRows(hidden, { firstStep: 1, numSteps, firstRow: 0, numRows: batchSize }));

  function forward(weights: LayerWeights, rows: Tensor2D): LayerRun {
    const { recurrentKernel, candidateBias } = weights;
    const inputGates = asSequence(matMulBias(rows, weights.inputKernel, weights.bias));
    const recurrentKernelTransposed: Tensor2D = transpose(recurrentKernel);
    const shared = { inputGates, recurrentKernel, initialHidden: initial };
    switch (cell) {
      case "lstm": {
        const run = lstmSequenceForward({ ...shared, initialCell: initial });
        return {
          hidden: run.hidden,
          backward(hiddenGradient) {
            const { gateGradients: gates } = lstmSequenceBackward({
              ...run,
              hiddenGradient,
              recurrentKernelTransposed,
            });
            return { gates, recurrent: gates };
          },
        };
      }
      case "gru": {
        const run = gruSequenceForward({ ...shared, candidateBias, resetAfter: true });
        return {
          hidden: run.hidden,
          backward(hiddenGradient) {
            const { gateGradients, recurrentGradients } = gruSequenceBackward({
              ...run,
              ...{ hiddenGradient, recurrentKernelTransposed, resetAfter: true },
            });
            return { gates: gateGradients, recurrent: recurrentGradients };
          },
        };
      }
      case "rnn": {
        const run = rnnSequenceForward({ ...shared, activation: "tanh" });
        return {
          hidden: run.hidden,
          backward(hiddenGradient) {
            const { gateGradients: gates } = rnnSequenceBackward({
              activations: run.activations,
              ...{ hiddenGradient, recurrentKernelTransposed, activation: "tanh" },
            });
            return { gates, recurrent: gates };
          },
        };
      }
      default:
        throw new RangeError(`no such cell: ${String(cell satisfies never)}`);
    }
  }

  function wholePass(): void {
    let rows: Tensor2D = positions(inputs);
    const runs = layers.map((weights) => {
      const run = forward(weights, rows);
      const below = rows;
      rows = positions(outputsOf(run.hidden));
      return { weights, run, below };
    });
    let upstream = gradient;
    for (const { weights, run, below } of runs.reverse()) {
      const { gates, recurrent } = run.backward(upstream);
      const gateRows = positions(gates);
      if (recurrent === gates) {
        // Of kernels and bias at once: inputs and hidden states are one factor.
        const [rows, furtherRows] = [asSequence(below), run.hidden];
        linearGradients({ ...oneLeaf(batchSize), rows, furtherRows, gradient: gates });
      } else {
        // Biases come with these two: of the inputs' products, and of a GRU's recurrent ones.
        linearGradient(positions(run.hidden), positions(recurrent));
        linearGradient(below, gateRows);
      }
      upstream = asSequence(matMulBias(gateRows, transpose(weights.inputKernel)));
    }
  }

  return {
    once: () => {
      tidy(wholePass);
    },
    dispose() {
      const ofLayers = layers.flatMap((layer): Tensor[] => [
        ...[layer.inputKernel, layer.recurrentKernel],
        ...[layer.bias, layer.candidateBias],
      ]);
      dispose([inputs, gradient, initial, ...ofLayers]);
    },
  };
}
