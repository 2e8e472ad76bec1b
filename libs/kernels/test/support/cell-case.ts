/** One recurrent layer with its sizes, options and numbers: what kernels and oracles are both run on. */
export type CellSpec =
  | { readonly cell: "lstm" }
  | { readonly cell: "lstmVariant"; readonly coupledGates: boolean; readonly epsilon?: number }
  | { readonly cell: "gru"; readonly resetAfter: boolean }
  | { readonly cell: "rnn"; readonly activation: "tanh" | "relu" };

export interface CellSizes {
  readonly numSteps: number;
  readonly numRows: number;
  readonly hiddenSize: number;
  /** Of the recurrent state: the projected size, or `hiddenSize`. */
  readonly stateSize: number;
}

/** What a loss has a gradient of; a case has those that its options need. */
export const PARAMETER_NAMES = [
  "inputGates",
  "recurrentKernel",
  "candidateBias",
  "peephole",
  "projection",
  "recurrentGain",
  "cellGain",
  "cellBias",
  "initialHidden",
  "initialCell",
] as const;

export type ParameterName = (typeof PARAMETER_NAMES)[number];

/**
 * Parameters; the shares that zoneout keeps; and the gradients of each h_t and c_t, with which they
 * are multiplied and summed to be the loss. The cell states of a case without `cellGradient` are in
 * no loss.
 */
export type CellTensorName =
  ParameterName | "keep" | "keepHidden" | "keepCell" | "hiddenGradient" | "cellGradient";

export type Named<Value> = Readonly<Partial<Record<CellTensorName, Value>>>;

export interface CellCase {
  readonly spec: CellSpec;
  readonly sizes: CellSizes;
  /** Flat, row-major. */
  readonly values: Named<readonly number[] | Float32Array>;
}

export function numGatesOf(spec: CellSpec): number {
  switch (spec.cell) {
    case "lstm":
      return 4;
    case "lstmVariant":
      return spec.coupledGates ? 3 : 4;
    case "gru":
      return 3;
    case "rnn":
      return 1;
  }
}

export function shapeOf(name: CellTensorName, { spec, sizes }: CellCase): number[] {
  const { numSteps, numRows, hiddenSize, stateSize } = sizes;
  const gateSize = numGatesOf(spec) * hiddenSize;
  const isCoupled = spec.cell === "lstmVariant" && spec.coupledGates;
  switch (name) {
    case "inputGates":
      return [numSteps, numRows, gateSize];
    case "recurrentKernel":
      return [stateSize, gateSize];
    case "candidateBias":
    case "cellGain":
    case "cellBias":
      return [hiddenSize];
    case "peephole":
      return [isCoupled ? 2 : 3, hiddenSize];
    case "projection":
      return [hiddenSize, stateSize];
    case "recurrentGain":
      return [gateSize];
    case "initialHidden":
      return [numRows, stateSize];
    case "initialCell":
      return [numRows, hiddenSize];
    case "keep":
    case "keepHidden":
    case "hiddenGradient":
      return [numSteps, numRows, stateSize];
    case "keepCell":
    case "cellGradient":
      return [numSteps, numRows, hiddenSize];
  }
}
