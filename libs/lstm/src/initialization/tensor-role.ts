import type { Gate } from "./initializers/index.js";

/** What of a model's cells the roles of its tensors follow from. */
export interface CellSizes {
  readonly cell: "lstm" | "gru" | "rnn";
  readonly hiddenSize: number;
  /** Size of the hidden state that goes back into the cell, where a projection makes it another one. */
  readonly stateSize?: number;
}

/** What a tensor is for, as far as its first values depend on it. */
export type TensorRole =
  /** [V,E]: one row a token. */
  | { readonly kind: "embedding" }
  /** [I+R, G·H] of a recurrent layer: rows of the input, then of the hidden state; G blocks of columns. */
  | { readonly kind: "cellKernel"; readonly inputRows: number; readonly gates: readonly Gate[] }
  /** [G·H] of a recurrent layer. */
  | { readonly kind: "cellBias"; readonly gates: readonly Gate[] }
  /** [inputs, outputs] of a linear map: head, projection. */
  | { readonly kind: "linearKernel" }
  /** What multiplies a normalized value. */
  | { readonly kind: "gain" }
  /** Other biases, and weights that join no two vectors: peepholes. */
  | { readonly kind: "shift" };

/** The gates in the order of the columns, by cell and number; three gates of an LSTM are coupled ones. */
const GATES: Readonly<Record<string, readonly Gate[]>> = {
  "lstm 4": ["input", "forget", "candidate", "output"],
  "lstm 3": ["input", "candidate", "output"],
  "gru 3": ["reset", "update", "candidate"],
  "rnn 1": ["candidate"],
};

const CELL_TENSOR = /(?:^|\.)layers\.\d+\.(?:(?:forward|backward)\.)?(kernel|bias)$/;

/**
 * THE ONE PLACE where names and shapes of tensors get their meaning for initialization: a new kind of
 * tensor is told here how it starts.
 *
 * `embedding.table`; `layers.N.kernel` and `layers.N.bias`, also `layers.N.forward.…` and
 * `layers.N.backward.…`; names that end in `gain` or `Gain`; other matrices but `peephole` are linear.
 */
export function tensorRole(
  name: string,
  shape: readonly number[],
  { cell, hiddenSize, stateSize = hiddenSize }: CellSizes,
): TensorRole {
  const [numRows = 1] = shape;
  const ofCell = CELL_TENSOR.exec(name)?.[1];
  if (ofCell !== undefined) {
    const gates = GATES[`${cell} ${(shape.at(-1) ?? 0) / hiddenSize}`];
    if (gates === undefined) {
      throw new RangeError(`${name} [${shape.join()}] is no tensor of ${cell} with ${hiddenSize}`);
    }
    return ofCell === "bias"
      ? { kind: "cellBias", gates }
      : { kind: "cellKernel", inputRows: numRows - stateSize, gates };
  }
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (last === "table") return { kind: "embedding" };
  if (/gain$/i.test(last)) return { kind: "gain" };
  // A linear map to one number.
  if (last === "score") return { kind: "linearKernel" };
  if (shape.length < 2 || last === "peephole") return { kind: "shift" };
  return { kind: "linearKernel" };
}
