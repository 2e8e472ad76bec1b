import type { ModelSpec } from "../spec/index.js";

export interface StateShape {
  /** Values of the carried state for each row of a leaf: hidden and cell state of every layer. */
  readonly valuesPerRow: number;
}

/**
 * The size of the state that a language model carries from one segment to the next. The state of a
 * leaf with R rows is flat, laid out [layer][h, c][row][hiddenSize], `valuesPerRow`·R values.
 */
export function stateShape(spec: ModelSpec): StateShape {
  return { valuesPerRow: 2 * spec.numLayers * spec.hiddenSize };
}
