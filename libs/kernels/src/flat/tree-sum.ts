import { compiledLoops } from "./compiled-loops.js";
import { requireAligned } from "./lengths.js";

/**
 * `out = left + right`, each sum rounded to float32: one inner node of the gradient tree.
 *
 * @param out as long as the others; may be `left` or `right` itself
 * @throws {RangeError} for different lengths
 */
export function treeAdd(left: Float32Array, right: Float32Array, out: Float32Array): void {
  requireAligned({ left, right, out });
  const compiled = compiledLoops();
  if (compiled !== undefined) {
    compiled.treeAdd(left, right, out);
    return;
  }
  const { length } = left;
  for (let i = 0; i < length; i++) out[i] = left[i]! + right[i]!;
}

/**
 * The sum along the gradient tree: of each half of the leaves first, then of the two halves.
 *
 * The leaves below any node of the tree may be summed beforehand, by whoever has them, without
 * changing a bit.
 *
 * @param leaves a power of two of them, equally long; not changed
 * @returns a new array
 * @throws {RangeError} for another number of leaves, or for different lengths
 */
export function sumLeavesInTreeOrder(leaves: readonly Float32Array[]): Float32Array {
  const { length } = leaves;
  if (length === 0 || (length & (length - 1)) !== 0) {
    throw new RangeError(`${length} leaves have no binary tree; a power of two has`);
  }
  if (length === 1) return leaves[0]!.slice();
  return sumSubtree(leaves, 0, length);
}

/** @param count at least 2, so that the result is never one of the leaves */
function sumSubtree(leaves: readonly Float32Array[], first: number, count: number): Float32Array {
  const half = count / 2;
  if (half === 1) {
    const sum = new Float32Array(leaves[first]!.length);
    treeAdd(leaves[first]!, leaves[first + 1]!, sum);
    return sum;
  }
  const left = sumSubtree(leaves, first, half);
  treeAdd(left, sumSubtree(leaves, first + half, half), left);
  return left;
}
