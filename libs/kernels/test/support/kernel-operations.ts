/** Every operation of the kernel contract with inputs that fit it, by one signature. */
import { ones, tensor1d, transpose, zeros } from "@tensorflow/tfjs-core";
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  embeddingGather,
  embeddingGradient,
  embeddingGradients,
  gruSequenceBackward,
  gruSequenceForward,
  layerNorm,
  layerNormGradient,
  linearGradient,
  linearGradients,
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  linearSoftmaxCrossEntropyGradients,
  lstmSequenceBackward,
  lstmSequenceForward,
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
  matMulBias,
  rnnSequenceBackward,
  rnnSequenceForward,
  sequenceRows,
} from "../../src/tensor/index.js";

export type Inputs = Record<string, Tensor>;

export interface Operation {
  readonly name: string;
  readonly inputs: () => Inputs;
  readonly run: (inputs: Inputs) => object;
  readonly numOutputs: number;
  /** An input that the kernel reads when it has allocated something already. */
  readonly readLate: string;
}

/** An operation whose inputs have types of their own, behind one signature. */
function operation<Named extends Inputs>(
  name: string,
  numOutputs: number,
  readLate: string & keyof Named,
  inputs: () => Named,
  run: (inputs: Named) => object,
): Operation {
  return { name, numOutputs, readLate, inputs, run: run as (inputs: Inputs) => object };
}

/** More steps than between two reports, so that a kernel stopped by the first one is half done. */
const [T, B, H, V, E, P] = [20, 2, 3, 5, 4, 2];
/** Several blocks of positions in the loss kernels. */
const [N, LARGE_V] = [40, 70_000];
const targets = (): Tensor1D => tensor1d(new Int32Array(N), "int32");
const tokens = (): Tensor1D => tensor1d([4, 0, 4], "int32");

const lossInputs = (): {
  hidden: Tensor2D;
  kernel: Tensor2D;
  bias: Tensor1D;
  targets: Tensor1D;
  weights: Tensor1D;
} => ({
  hidden: ones([N, 1]),
  kernel: ones([1, LARGE_V]),
  bias: zeros([LARGE_V]),
  targets: targets(),
  weights: ones([N]),
});

const forwardInputs = (): {
  inputGates: Tensor3D;
  recurrentKernel: Tensor2D;
  initialHidden: Tensor2D;
  initialCell: Tensor2D;
} => ({
  inputGates: ones([T, B, 4 * H]),
  recurrentKernel: ones([H, 4 * H]),
  initialHidden: ones([B, H]),
  initialCell: ones([B, H]),
});

const backwardInputs = (): {
  hiddenGradient: Tensor3D;
  cellGradient: Tensor3D;
  gates: Tensor3D;
  cell: Tensor3D;
  cellActivations: Tensor3D;
  recurrentKernelTransposed: Tensor2D;
} => ({
  hiddenGradient: ones([T, B, H]),
  cellGradient: ones([T, B, H]),
  gates: ones([T, B, 4 * H]),
  cell: ones([T + 1, B, H]),
  cellActivations: ones([T, B, H]),
  recurrentKernelTransposed: ones([4 * H, H]),
});

/** Shapes of all options of an LSTM, by the names that its kernel gives them. */
const OPTION_SHAPES = {
  peephole: [3, H],
  recurrentGain: [4 * H],
  cellGain: [H],
  cellBias: [H],
  keepHidden: [T, B, P],
  keepCell: [T, B, H],
};

/** The flat inputs of an operation as the options of the contract. */
function withOptions<Result>(
  run: (inputs: never) => Result,
  flags: object,
): (inputs: Inputs) => Result {
  return ({ recurrentGain, cellGain, cellBias, keepHidden, keepCell, ...tensors }) =>
    run({
      ...tensors,
      ...flags,
      layerNorm: { recurrentGain, cellGain, cellBias, epsilon: 0.1 },
      keep: { hidden: keepHidden, cell: keepCell },
    } as never);
}

/** An operation's inputs beside what is no tensor. */
function withFlags<Result>(
  run: (inputs: never) => Result,
  flags: object,
): (inputs: Inputs) => Result {
  return (inputs) => run({ ...inputs, ...flags } as never);
}

/** Names of inputs, and their shapes. */
function made(shapes: Readonly<Record<string, readonly number[]>>): Inputs {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, ones([...shape])]),
  );
}

const RECURRENT: readonly Operation[] = [
  operation(
    "lstmVariantSequenceForward",
    10,
    "cellBias",
    () =>
      made({
        inputGates: [T, B, 4 * H],
        recurrentKernel: [P, 4 * H],
        projection: [H, P],
        initialHidden: [B, P],
        initialCell: [B, H],
        ...OPTION_SHAPES,
      }),
    withOptions(lstmVariantSequenceForward, { coupledGates: false }),
  ),
  operation(
    "lstmVariantSequenceBackward",
    6,
    "cellNormalized",
    () =>
      made({
        hiddenGradient: [T, B, P],
        cellGradient: [T, B, H],
        recurrentKernelTransposed: [4 * H, P],
        projectionTransposed: [P, H],
        cell: [T + 1, B, H],
        gates: [T, B, 4 * H],
        cellActivations: [T, B, H],
        recurrentNormalized: [T, B, 4 * H],
        recurrentInverseDeviations: [T, B],
        cellNormalized: [T, B, H],
        cellInverseDeviations: [T, B],
        ...OPTION_SHAPES,
      }),
    withOptions(lstmVariantSequenceBackward, { coupledGates: false }),
  ),
  ...[true, false].flatMap((resetAfter) => [
    operation(
      "gruSequenceForward",
      3,
      "keep",
      () =>
        made({
          inputGates: [T, B, 3 * H],
          recurrentKernel: [H, 3 * H],
          initialHidden: [B, H],
          keep: [T, B, H],
          ...(resetAfter && { candidateBias: [H] }),
        }),
      withFlags(gruSequenceForward, { resetAfter }),
    ),
    operation(
      "gruSequenceBackward",
      3,
      "keep",
      () =>
        made({
          hiddenGradient: [T, B, H],
          gates: [T, B, 3 * H],
          candidates: [T, B, H],
          hidden: [T + 1, B, H],
          recurrentKernelTransposed: [3 * H, H],
          keep: [T, B, H],
        }),
      withFlags(gruSequenceBackward, { resetAfter }),
    ),
  ]),
  ...["tanh", "relu"].flatMap((activation) => [
    operation(
      "rnnSequenceForward",
      2,
      "keep",
      () =>
        made({
          inputGates: [T, B, H],
          recurrentKernel: [H, H],
          initialHidden: [B, H],
          keep: [T, B, H],
        }),
      withFlags(rnnSequenceForward, { activation }),
    ),
    operation(
      "rnnSequenceBackward",
      2,
      "activations",
      () =>
        made({
          hiddenGradient: [T, B, H],
          activations: [T, B, H],
          recurrentKernelTransposed: [H, H],
          keep: [T, B, H],
        }),
      withFlags(rnnSequenceBackward, { activation }),
    ),
  ]),
];

/** Leaves of the batch, two of them without rows, as one node. */
const TREE = {
  leaves: [
    { firstRow: 0, numRows: 1 },
    { firstRow: 1, numRows: 0 },
    { firstRow: 1, numRows: 1 },
    { firstRow: 2, numRows: 0 },
  ],
  nodes: [{ first: 0, count: 4 }],
};

const LEAF_SUMS: readonly Operation[] = [
  operation(
    "linearGradients",
    2,
    "gradient",
    () => ({ rows: ones<Rank.R3>([T + 1, B, H]), gradient: ones<Rank.R3>([T, B, V]) }),
    (inputs) => linearGradients({ ...inputs, ...TREE }),
  ),
  operation(
    "linearGradients",
    2,
    "gradient",
    () => ({
      rows: ones<Rank.R3>([T, B, E]),
      furtherRows: ones<Rank.R3>([T + 1, B, H]),
      gradient: ones<Rank.R3>([T, B, V]),
    }),
    (inputs) => linearGradients({ ...inputs, ...TREE }),
  ),
  operation(
    "embeddingGradients",
    1,
    "gradient",
    () => ({
      ids: tensor1d(new Int32Array(T * B), "int32"),
      gradient: ones<Rank.R3>([T, B, E]),
    }),
    (inputs) => embeddingGradients({ ...inputs, ...TREE, vocabularySize: V }),
  ),
  operation(
    "linearSoftmaxCrossEntropyGradients",
    4,
    "weights",
    () => ({
      hidden: ones<Rank.R3>([T, B, H]),
      kernel: ones<Rank.R2>([H, V]),
      bias: ones<Rank.R1>([V]),
      targets: tensor1d(new Int32Array(T * B), "int32"),
      weights: ones<Rank.R1>([T * B]),
    }),
    (inputs) =>
      linearSoftmaxCrossEntropyGradients({
        ...inputs,
        ...TREE,
        labelSmoothing: 0.1,
        kernelTransposed: () => transpose(inputs.kernel),
      }),
  ),
];

export const OPERATIONS: readonly Operation[] = [
  operation("lstmSequenceForward", 4, "initialCell", forwardInputs, lstmSequenceForward),
  operation("lstmSequenceBackward", 3, "cellActivations", backwardInputs, lstmSequenceBackward),
  ...RECURRENT,
  ...LEAF_SUMS,
  operation(
    "layerNorm",
    3,
    "bias",
    () => made({ rows: [N, E], gain: [E], bias: [E] }),
    withFlags(layerNorm, { epsilon: 0.1 }),
  ),
  operation(
    "layerNormGradient",
    1,
    "normalized",
    () => made({ gradient: [N, E], normalized: [N, E], inverseDeviations: [N], gain: [E] }),
    withFlags(layerNormGradient, {}),
  ),
  operation("linearSoftmaxCrossEntropy", 1, "weights", lossInputs, linearSoftmaxCrossEntropy),
  operation(
    "linearSoftmaxCrossEntropyGradient",
    4,
    "weights",
    () => ({ ...lossInputs(), kernelTransposed: ones<Rank.R2>([LARGE_V, 1]) }),
    linearSoftmaxCrossEntropyGradient,
  ),
  operation(
    "embeddingGather",
    1,
    "table",
    () => ({ table: ones<Rank.R2>([V, E]), ids: tokens() }),
    ({ table, ids }) => embeddingGather(table, ids),
  ),
  operation(
    "embeddingGradient",
    1,
    "ids",
    () => ({ ids: tokens(), gradient: ones<Rank.R2>([3, E]) }),
    ({ ids, gradient }) => embeddingGradient(ids, gradient, V),
  ),
  operation(
    "matMulBias",
    1,
    "bias",
    () => ({
      rows: ones<Rank.R2>([N, H]),
      kernel: ones<Rank.R2>([H, V]),
      bias: ones<Rank.R1>([V]),
    }),
    ({ rows, kernel, bias }) => matMulBias(rows, kernel, bias),
  ),
  operation(
    "linearGradient",
    2,
    "rows",
    () => ({ rows: ones<Rank.R2>([N, H]), gradient: ones<Rank.R2>([N, V]) }),
    ({ rows, gradient }) => linearGradient(rows, gradient),
  ),
  operation(
    "sequenceRows",
    1,
    "sequence",
    () => ({ sequence: ones<Rank.R3>([T, B, H]) }),
    ({ sequence }) =>
      sequenceRows(sequence, { firstStep: 1, numSteps: 3, firstRow: 1, numRows: 1 }),
  ),
];
