import type { RecurrentStackSpec } from "../spec/index.js";

/** A tensor's name and shape, before it has a place. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The tensors of a linear map: `….kernel` [I,O] and `….bias` [O]. */
export function linearTensors(prefix: string, inputSize: number, outputSize: number): NamedShape[] {
  return [
    { name: `${prefix}.kernel`, shape: [inputSize, outputSize] },
    { name: `${prefix}.bias`, shape: [outputSize] },
  ];
}

/** A cell's sizes. Letters: G gates, H hidden size, R size of the recurrent state and of the output. */
export interface CellSizes {
  /** G: LSTM 4 (i, f, g, o) or 3 when coupled (i, g, o), GRU 3 (r, z, n), RNN 1. */
  readonly numGates: number;
  readonly hiddenSize: number;
  /** R: the projection's size where there is one, else H. */
  readonly outputSize: number;
  readonly hasCellState: boolean;
}

export function cellSizes(spec: RecurrentStackSpec): CellSizes {
  const { cell, hiddenSize, projectionSize, coupledGates } = spec;
  const numGates = { lstm: coupledGates ? 3 : 4, gru: 3, rnn: 1 }[cell];
  return {
    numGates,
    hiddenSize,
    outputSize: projectionSize ?? hiddenSize,
    hasCellState: cell === "lstm",
  };
}

/**
 * The tensors of one recurrent layer that reads I inputs, in one direction:
 *
 * - `kernel` [I+R,G·H], rows of the input, then of the hidden state; `bias` [G·H]. Columns: LSTM i, f,
 *   g, o (coupled: i, g, o), GRU r, z, n.
 * - GRU with the reset after: `candidateBias` [H], of the recurrent product of n.
 * - LSTM: `peephole` [3,H] of i, f, o (coupled: [2,H] of i, o); `projection` [H,R]; with layer norm
 *   `inputGain` and `recurrentGain` [G·H], `cellGain` and `cellBias` [H].
 *
 * @param prefix what the names start with, such as `layers.0`
 */
export function cellTensors(
  spec: RecurrentStackSpec,
  prefix: string,
  inputSize: number,
): NamedShape[] {
  const { numGates, hiddenSize, outputSize } = cellSizes(spec);
  const width = numGates * hiddenSize;
  const tensors: [string, number[]][] = [
    ["kernel", [inputSize + outputSize, width]],
    ["bias", [width]],
  ];
  if (spec.cell === "gru" && spec.resetAfter) tensors.push(["candidateBias", [hiddenSize]]);
  if (spec.peephole) tensors.push(["peephole", [spec.coupledGates ? 2 : 3, hiddenSize]]);
  if (spec.projectionSize !== null) tensors.push(["projection", [hiddenSize, outputSize]]);
  if (spec.layerNorm) {
    tensors.push(["inputGain", [width]], ["recurrentGain", [width]]);
    tensors.push(["cellGain", [hiddenSize]], ["cellBias", [hiddenSize]]);
  }
  return tensors.map(([name, shape]) => ({ name: `${prefix}.${name}`, shape }));
}

export interface StackShape {
  /** Of what the first layer reads. */
  readonly inputSize: number;
  /** Two directions: the tensors of each are named `….forward.…` and `….backward.…`. */
  readonly bidirectional: boolean;
  /** What the names start with, such as `encoder.`; empty for the only stack. */
  readonly prefix: string;
}

/** Values that the stack puts out for each position. */
export function stackOutputSize(spec: RecurrentStackSpec, bidirectional: boolean): number {
  return cellSizes(spec).outputSize * (bidirectional ? 2 : 1);
}

/** What each of the stack's layers reads. */
export function layerInputSizes(spec: RecurrentStackSpec, shape: StackShape): number[] {
  const above = stackOutputSize(spec, shape.bidirectional);
  return Array.from({ length: spec.numLayers }, (_, layer) =>
    layer === 0 ? shape.inputSize : above,
  );
}

/**
 * The tensors of a recurrent stack, in the order of the forward pass: per layer those of
 * {@link cellTensors}, and with a normalization `layers.N.norm.gain` and `layers.N.norm.bias`, as long as
 * the layer's outputs.
 */
export function stackTensors(spec: RecurrentStackSpec, shape: StackShape): NamedShape[] {
  const outputSize = stackOutputSize(spec, shape.bidirectional);
  return layerInputSizes(spec, shape).flatMap((inputSize, layer) => {
    const prefix = `${shape.prefix}layers.${layer}`;
    const cells = shape.bidirectional ? [`${prefix}.forward`, `${prefix}.backward`] : [prefix];
    const tensors = cells.flatMap((cell) => cellTensors(spec, cell, inputSize));
    if (spec.normalization === "none") return tensors;
    const norm = ["gain", "bias"].map((name) => ({
      name: `${prefix}.norm.${name}`,
      shape: [outputSize],
    }));
    return [...tensors, ...norm];
  });
}
