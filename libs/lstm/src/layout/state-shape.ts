import type { RecurrentStackSpec } from "../spec/index.js";
import { cellSizes } from "./recurrent-layout.js";

export interface StateShape {
  /** Values of the carried state for each row of a leaf: hidden and cell state of every layer. */
  readonly valuesPerRow: number;
}

/**
 * The size of the state that a language model carries from one segment to the next. The state of a
 * leaf with B rows is flat, laid out [layer][h, c][row][size], `valuesPerRow`·B values; h has the
 * size of the layer's outputs, c (which only an LSTM has) that of the hidden size.
 */
export function stateShape(spec: RecurrentStackSpec): StateShape {
  const { outputSize, hiddenSize, hasCellState } = cellSizes(spec);
  return { valuesPerRow: spec.numLayers * (outputSize + (hasCellState ? hiddenSize : 0)) };
}
