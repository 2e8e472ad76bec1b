import { loadAddon } from "../../native-addon/index.js";

import type { SequenceFunctions } from "./sequences/index.js";

type Floats = Float32Array;

/**
 * The compiled kernels. Arrays are read and written in place; shapes and meanings are those of
 * native/include/ostinato/kernels.hpp. Leaves and nodes are [first, count] pairs. A wrong argument is a
 * TypeError.
 */
export interface NativeAddon extends SequenceFunctions {
  /** What the kernels run on: `portable`, `avx2`, `avx512` or `neon`. */
  instructionSet(): string;
  /** @returns whether this processor has it; the bits are the same on each. */
  selectInstructionSet(name: string): boolean;
  /** Threads of later calls, this one among them. */
  selectThreads(count: number): void;
  /** What the factors of products in later calls are rounded to; sums are float32. */
  selectPrecision(name: "float32" | "bfloat16"): void;
  /** @returns whether this processor has a unit for bfloat16 products; the bits are the same without it. */
  selectMatrixUnit(isUsed: boolean): boolean;
  matMulBias(
    rows: Floats,
    kernel: Floats,
    bias: Floats | null,
    product: Floats,
    numRows: number,
    inner: number,
    columns: number,
    transposed: boolean,
  ): void;
  linearGradient(
    rows: Floats,
    furtherRows: Floats | null,
    gradient: Floats,
    leaves: Int32Array,
    nodes: Int32Array,
    kernelGradients: Floats,
    biasGradients: Floats | null,
    numSteps: number,
    numRows: number,
    inputs: number,
    furtherInputs: number,
    outputs: number,
  ): void;
  lstmForward(
    inputGates: Floats,
    recurrentKernel: Floats,
    hidden: Floats,
    cell: Floats,
    gates: Floats,
    cellActivations: Floats,
    numSteps: number,
    numRows: number,
    hiddenSize: number,
    onTimeSteps: ((done: number) => void) | undefined,
  ): void;
  lstmBackward(
    hiddenGradient: Floats,
    cellGradient: Floats | undefined,
    gates: Floats,
    cell: Floats,
    cellActivations: Floats,
    recurrentKernel: Floats,
    gateGradients: Floats,
    initialHiddenGradient: Floats,
    initialCellGradient: Floats,
    numSteps: number,
    numRows: number,
    hiddenSize: number,
    transposed: boolean,
    onTimeSteps: ((done: number) => void) | undefined,
  ): void;
  softmaxLoss(
    hidden: Floats,
    kernel: Floats,
    bias: Floats,
    targets: Int32Array,
    weights: Floats,
    losses: Floats,
    numPositions: number,
    hiddenSize: number,
    vocabularySize: number,
  ): void;
  softmaxLossGradient(
    hidden: Floats,
    kernel: Floats,
    bias: Floats,
    targets: Int32Array,
    weights: Floats,
    leaves: Int32Array,
    nodes: Int32Array,
    losses: Floats,
    hiddenGradient: Floats,
    kernelGradients: Floats,
    biasGradients: Floats,
    numSteps: number,
    numRows: number,
    hiddenSize: number,
    vocabularySize: number,
    labelSmoothing: number,
  ): void;
  layerNorm(call: {
    readonly rows: Floats;
    readonly gain: Floats | undefined;
    readonly bias: Floats | undefined;
    readonly epsilon: number;
    readonly numRows: number;
    readonly numColumns: number;
    readonly outputs: Floats;
    readonly normalized: Floats;
    readonly inverseDeviations: Floats;
  }): void;
  layerNormGradient(call: {
    readonly gradient: Floats;
    readonly normalized: Floats;
    readonly inverseDeviations: Floats;
    readonly gain: Floats | undefined;
    readonly numRows: number;
    readonly numColumns: number;
    readonly rowGradient: Floats;
  }): void;
  embeddingGather(call: {
    readonly table: Floats;
    readonly ids: Int32Array;
    readonly numPositions: number;
    readonly embeddingSize: number;
    readonly vocabularySize: number;
    readonly rows: Floats;
  }): void;
  embeddingGradient(call: {
    readonly ids: Int32Array;
    readonly gradient: Floats;
    readonly leaves: Int32Array;
    readonly nodes: Int32Array;
    readonly numSteps: number;
    readonly numRows: number;
    readonly embeddingSize: number;
    readonly vocabularySize: number;
    readonly tableGradients: Floats;
  }): void;
  sequenceRows(call: {
    readonly sequence: Floats;
    readonly sequenceSteps: number;
    readonly batchRows: number;
    readonly numColumns: number;
    readonly firstStep: number;
    readonly numSteps: number;
    readonly firstRow: number;
    readonly numRows: number;
    readonly rows: Floats;
  }): void;
  transpose(call: {
    readonly matrix: Floats;
    readonly numRows: number;
    readonly numColumns: number;
    readonly transposed: Floats;
  }): void;
}

/** @throws Error with the reason in one line: it was not compiled, or this Node cannot load it. */
export function nativeAddon(): NativeAddon {
  return loadAddon() as NativeAddon;
}
