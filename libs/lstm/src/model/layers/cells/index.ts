/**
 * The recurrent cells over all time steps: from the inputs' share of the gates to the hidden states, and
 * back to the gradients of the cell's own tensors.
 *
 * @example
 * const run = cellOf(spec)({ pass, spec, prefix, maskLayer, gates, recurrentKernel, … });
 * const { gates, initial, recurrent, further } = run.backward(hiddenGradient, undefined);
 */
export { cellOf } from "./cell-of.js";
export { recurrentGradients } from "./recurrent-gradients.js";
export type {
  CellCall,
  CellGradients,
  CellRun,
  HiddenPaths,
  LayerState,
  RecurrentGradients,
} from "./cell.js";
