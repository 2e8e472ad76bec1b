import type { TensorRole } from "./tensor-role.js";

/** The rows of a recurrent layer's kernel that meet its input or its hidden state; else all there is. */
export type Part = "input" | "recurrent" | "whole";

/** A matrix within a tensor, or the whole of one, which an initializer starts by itself. */
export interface Block {
  readonly part: Part;
  /** Index among the gates. */
  readonly gate: number;
  readonly shape: readonly number[];
  /** Index of the first value in the tensor. */
  readonly offset: number;
  /** From the first value of a row to that of the next. */
  readonly rowStride: number;
}

/**
 * What a tensor is made of: a kernel [I+R, G·H] of a recurrent layer of 2·G matrices, [I,H] and [R,H]
 * for each gate, any other tensor of itself.
 */
export function blocksOf(shape: readonly number[], role: TensorRole): readonly Block[] {
  const [numRows = 1, numColumns = 1] = shape;
  if (role.kind !== "cellKernel") {
    return [{ part: "whole", gate: 0, shape, offset: 0, rowStride: numColumns }];
  }
  const { inputRows, gates } = role;
  const columns = numColumns / gates.length;
  return gates.flatMap((_, gate): readonly Block[] => [
    {
      part: "input",
      gate,
      shape: [inputRows, columns],
      offset: gate * columns,
      rowStride: numColumns,
    },
    {
      part: "recurrent",
      gate,
      shape: [numRows - inputRows, columns],
      offset: inputRows * numColumns + gate * columns,
      rowStride: numColumns,
    },
  ]);
}

/** Puts a block's values, row-major and without gaps, into its tensor. */
export function writeBlock(tensor: Float32Array, block: Block, values: Float32Array): void {
  const { shape, offset, rowStride } = block;
  const columns = shape[1];
  if (columns === undefined) {
    tensor.set(values, offset);
    return;
  }
  for (let row = 0; row * columns < values.length; row++) {
    tensor.set(values.subarray(row * columns, (row + 1) * columns), offset + row * rowStride);
  }
}
