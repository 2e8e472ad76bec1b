/** What the native kernels have in common. */
import type { LeafSumsCall } from "../contract/index.js";
import type { KernelCall } from "../registered-kernel.js";
import type { NativeBackend } from "./native-backend.js";

export type Call<Inputs, Attributes = unknown> = KernelCall<Inputs, Attributes, NativeBackend>;

/** As the compiled kernels read them: [first, count] pairs. */
export function treeOf({ leaves, nodes }: LeafSumsCall): [leaves: Int32Array, nodes: Int32Array] {
  return [
    Int32Array.from(leaves.flatMap(({ firstRow, numRows }) => [firstRow, numRows])),
    Int32Array.from(nodes.flatMap(({ first, count }) => [first, count])),
  ];
}

/** All rows as one leaf, and the node that it is. */
export function oneLeaf(numRows: number): [leaves: Int32Array, nodes: Int32Array] {
  return [Int32Array.of(0, numRows), Int32Array.of(0, 1)];
}
