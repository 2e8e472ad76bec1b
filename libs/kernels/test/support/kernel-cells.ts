/** The kernels run on a case, and weight gradients formed from their results as the contract says. */
import { concat, mul, reshape, slice, sum, tensor, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  gruSequenceBackward,
  gruSequenceForward,
  linearGradient,
  lstmSequenceBackward,
  lstmSequenceForward,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
  rnnSequenceBackward,
  rnnSequenceForward,
  sequenceRows,
} from "../../src/tensor/index.js";
import { PARAMETER_NAMES, shapeOf } from "./cell-case.js";
import type { CellCase, CellSpec, CellTensorName, Named } from "./cell-case.js";

/** Tensors of a case by name, typed as the contract wants those that are there. */
export interface CellTensors {
  readonly inputGates: Tensor3D;
  readonly recurrentKernel: Tensor2D;
  readonly candidateBias?: Tensor1D;
  readonly peephole?: Tensor2D;
  readonly projection?: Tensor2D;
  readonly recurrentGain?: Tensor1D;
  readonly cellGain?: Tensor1D;
  readonly cellBias?: Tensor1D;
  readonly initialHidden: Tensor2D;
  readonly initialCell: Tensor2D;
  readonly keep?: Tensor3D;
  readonly keepHidden?: Tensor3D;
  readonly keepCell?: Tensor3D;
  readonly hiddenGradient: Tensor3D;
  readonly cellGradient?: Tensor3D;
}

/** Tracked by the caller's tidy scope. */
export function tensorsOf(cellCase: CellCase): CellTensors {
  return Object.fromEntries(
    Object.entries(cellCase.values).map(([name, values]) => [
      name,
      tensor(Float32Array.from(values), shapeOf(name as CellTensorName, cellCase)),
    ]),
  ) as unknown as CellTensors;
}

/** States with the initial one first; gradients per position and of the initial states. */
export interface CellResults {
  readonly hidden: Tensor3D;
  readonly cell?: Tensor3D;
  readonly perPosition: readonly Tensor3D[];
  readonly gradients: Named<Tensor>;
}

/** Forward and backward; the gradients are those of one leaf that has all positions. */
export function runCell(spec: CellSpec, tensors: CellTensors): CellResults {
  switch (spec.cell) {
    case "lstm":
      return runLstm(tensors);
    case "lstmVariant":
      return runLstmVariant(spec, tensors);
    case "gru":
      return runGru(spec, tensors);
    case "rnn":
      return runRnn(spec, tensors);
  }
}

/** The numbers of {@link runCell}: h_1 … h_T, c_1 … c_T and the gradients that the case has. */
export function cellNumbers(cellCase: CellCase): {
  readonly hidden: Float32Array;
  readonly cell: Float32Array | undefined;
  readonly gradients: Named<Float32Array>;
} {
  const numbers = (result: Tensor): Float32Array => result.dataSync<"float32">().slice();
  let found: ReturnType<typeof cellNumbers> | undefined;
  tidy(() => {
    const { hidden, cell, gradients } = runCell(cellCase.spec, tensorsOf(cellCase));
    const outputs = (states: Tensor3D): Float32Array => {
      const [numStates, numRows] = states.shape;
      const block = { firstStep: 1, numSteps: numStates - 1, firstRow: 0, numRows };
      return numbers(sequenceRows(states, block));
    };
    found = {
      hidden: outputs(hidden),
      cell: cell && outputs(cell),
      gradients: Object.fromEntries(
        PARAMETER_NAMES.flatMap((name) => {
          const gradient = gradients[name];
          return gradient && cellCase.values[name] ? [[name, numbers(gradient)]] : [];
        }),
      ),
    };
  });
  return found!;
}

/** [T,B,C] or the first T of [T+1,B,C] → [T·B,C]. */
function positions(sequence: Tensor3D, numSteps: number): Tensor2D {
  return sequenceRows(sequence, {
    firstStep: 0,
    numSteps,
    firstRow: 0,
    numRows: sequence.shape[1],
  });
}

function runLstm(tensors: CellTensors): CellResults {
  const { recurrentKernel, hiddenGradient, cellGradient } = tensors;
  const sequence = lstmSequenceForward(tensors);
  const [numSteps] = hiddenGradient.shape;
  const { gateGradients, initialHiddenGradient, initialCellGradient } = lstmSequenceBackward({
    ...sequence,
    hiddenGradient,
    cellGradient,
    recurrentKernelTransposed: transpose(recurrentKernel),
  });
  const { kernelGradient } = linearGradient(
    positions(sequence.hidden, numSteps),
    positions(gateGradients, numSteps),
  );
  return {
    hidden: sequence.hidden,
    cell: sequence.cell,
    perPosition: [sequence.gates, sequence.cellActivations, gateGradients],
    gradients: {
      inputGates: gateGradients,
      recurrentKernel: kernelGradient,
      initialHidden: initialHiddenGradient,
      initialCell: initialCellGradient,
    },
  };
}

function runLstmVariant(
  { coupledGates, epsilon }: CellSpec & { cell: "lstmVariant" },
  tensors: CellTensors,
): CellResults {
  const { recurrentKernel, projection, peephole, hiddenGradient, cellGradient } = tensors;
  const { recurrentGain, cellGain, cellBias, keepHidden, keepCell } = tensors;
  const options = {
    peephole,
    coupledGates,
    layerNorm:
      recurrentGain && cellGain && cellBias
        ? { recurrentGain, cellGain, cellBias, epsilon: epsilon! }
        : undefined,
    keep: keepHidden && keepCell ? { hidden: keepHidden, cell: keepCell } : undefined,
  };
  const sequence = lstmVariantSequenceForward({ ...tensors, ...options });
  const backward = lstmVariantSequenceBackward({
    ...sequence,
    ...options,
    hiddenGradient,
    cellGradient,
    recurrentKernelTransposed: transpose(recurrentKernel),
    projectionTransposed: projection && transpose(projection),
  });
  const [numSteps, , hiddenSize] = sequence.cellCandidates.shape;
  const rowsOf = (sequenceOf: Tensor3D): Tensor2D => positions(sequenceOf, numSteps);
  const gates_NG = rowsOf(backward.gateGradients);
  const columns = (gate: number): Tensor2D =>
    slice(gates_NG, [0, gate * hiddenSize], [gates_NG.shape[0], hiddenSize]);
  const sums = (gradient: Tensor2D, factor: Tensor3D): Tensor =>
    sum(mul(gradient, rowsOf(factor)), 0);
  const peepholes = [
    sums(columns(0), sequence.cell),
    ...(coupledGates ? [] : [sums(columns(1), sequence.cell)]),
    sums(columns(coupledGates ? 2 : 3), sequence.cellCandidates),
  ];
  const { projectionInputs, recurrentNormalized, cellNormalized } = sequence;
  const { projectionGradients, cellNormGradients } = backward;
  const kernelOf = (inputs: Tensor3D, gradient: Tensor3D): Tensor =>
    linearGradient(rowsOf(inputs), rowsOf(gradient)).kernelGradient;
  return {
    hidden: sequence.hidden,
    cell: sequence.cell,
    perPosition: [
      sequence.cellCandidates,
      sequence.gates,
      sequence.cellActivations,
      backward.gateGradients,
      backward.recurrentGradients,
      ...[projectionInputs, recurrentNormalized, cellNormalized].filter((s) => s !== undefined),
      ...[projectionGradients, cellNormGradients].filter((s) => s !== undefined),
    ],
    gradients: {
      inputGates: backward.gateGradients,
      recurrentKernel: kernelOf(sequence.hidden, backward.recurrentGradients),
      peephole: concat(peepholes.map((row) => reshape(row, [1, hiddenSize]))),
      initialHidden: backward.initialHiddenGradient,
      initialCell: backward.initialCellGradient,
      ...(projectionInputs &&
        projectionGradients && { projection: kernelOf(projectionInputs, projectionGradients) }),
      ...(recurrentNormalized && { recurrentGain: sums(gates_NG, recurrentNormalized) }),
      ...(cellNormGradients &&
        cellNormalized && {
          cellGain: sums(rowsOf(cellNormGradients), cellNormalized),
          cellBias: sum(rowsOf(cellNormGradients), 0),
        }),
    },
  };
}

function runGru({ resetAfter }: CellSpec & { cell: "gru" }, tensors: CellTensors): CellResults {
  const { recurrentKernel, hiddenGradient, keep } = tensors;
  const sequence = gruSequenceForward({ ...tensors, resetAfter });
  const backward = gruSequenceBackward({
    ...sequence,
    hiddenGradient,
    recurrentKernelTransposed: transpose(recurrentKernel),
    resetAfter,
    keep,
  });
  const [numSteps, , hiddenSize] = hiddenGradient.shape;
  const before_NH = positions(sequence.hidden, numSteps);
  const recurrent_NG = positions(backward.recurrentGradients, numSteps);
  const columns = (first: number, count: number): Tensor2D =>
    slice(recurrent_NG, [0, first * hiddenSize], [recurrent_NG.shape[0], count * hiddenSize]);
  const candidates_NH = resetAfter ? before_NH : positions(sequence.candidates, numSteps);
  const ofCandidate = linearGradient(candidates_NH, columns(2, 1));
  return {
    hidden: sequence.hidden,
    perPosition: [
      sequence.gates,
      sequence.candidates,
      backward.gateGradients,
      backward.recurrentGradients,
    ],
    gradients: {
      inputGates: backward.gateGradients,
      recurrentKernel: concat(
        [linearGradient(before_NH, columns(0, 2)).kernelGradient, ofCandidate.kernelGradient],
        1,
      ),
      candidateBias: ofCandidate.biasGradient,
      initialHidden: backward.initialHiddenGradient,
    },
  };
}

function runRnn({ activation }: CellSpec & { cell: "rnn" }, tensors: CellTensors): CellResults {
  const { recurrentKernel, hiddenGradient, keep } = tensors;
  const sequence = rnnSequenceForward({ ...tensors, activation });
  const { gateGradients, initialHiddenGradient } = rnnSequenceBackward({
    ...sequence,
    hiddenGradient,
    recurrentKernelTransposed: transpose(recurrentKernel),
    activation,
    keep,
  });
  const [numSteps] = hiddenGradient.shape;
  return {
    hidden: sequence.hidden,
    perPosition: [sequence.activations, gateGradients],
    gradients: {
      inputGates: gateGradients,
      recurrentKernel: linearGradient(
        positions(sequence.hidden, numSteps),
        positions(gateGradients, numSteps),
      ).kernelGradient,
      initialHidden: initialHiddenGradient,
    },
  };
}
