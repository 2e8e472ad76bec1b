import { fillNormal } from "../../random/index.js";
import type { RandomKey } from "../../random/index.js";
import { numValues } from "./shape.js";
import type { Shape } from "./shape.js";

/** A vector of which less than this is left after its projections are taken away goes through again. */
const REPEAT_BELOW = 0.1;

/**
 * gain times a random matrix whose columns (or rows, if there are fewer) are orthonormal, each such
 * matrix as likely as any other. Saxe et al., 2014; PyTorch's orthogonal_.
 */
export function orthogonal(
  shape: Shape,
  key: RandomKey,
  { gain }: { readonly gain: number },
): Float32Array {
  const normals = new Float32Array(numValues(shape));
  fillNormal(key, normals);
  return Float32Array.from(orthogonalized(normals, shape), (value) => gain * value);
}

/**
 * Q of the QR decomposition of a matrix with at least as many rows as columns, where R has a positive
 * diagonal, which makes it unique and, of normal deviates, uniformly distributed (Mezzadri, "How to
 * generate random matrices from the classical compact groups", 2007); of a wide matrix, the transpose
 * of its transpose's.
 *
 * By modified Gram–Schmidt in float64 with a second pass where digits were lost ("twice is enough",
 * Giraud et al., 2005): sums and products in a fixed order.
 *
 * @param matrix row-major, of full rank
 */
export function orthogonalized(matrix: ArrayLike<number>, shape: Shape): Float64Array {
  const [numRows = 1, numColumns = 1] = shape;
  const isTall = numRows >= numColumns;
  const vectors = isTall ? transposed(matrix, numRows, numColumns) : Float64Array.from(matrix);
  const length = Math.max(numRows, numColumns);
  for (let i = 0; i < Math.min(numRows, numColumns); i++) {
    const vector = vectors.subarray(i * length, (i + 1) * length);
    const before = norm(vector);
    removeProjections(vector, vectors.subarray(0, i * length));
    if (norm(vector) < REPEAT_BELOW * before) {
      removeProjections(vector, vectors.subarray(0, i * length));
    }
    const scale = 1 / norm(vector);
    for (const [j, value] of vector.entries()) vector[j] = scale * value;
  }
  return isTall ? transposed(vectors, numColumns, numRows) : vectors;
}

/** Takes the parts along each of some unit vectors, which lie one after the other, away from a vector. */
function removeProjections(vector: Float64Array, units: Float64Array): void {
  const { length } = vector;
  for (let start = 0; start < units.length; start += length) {
    const unit = units.subarray(start, start + length);
    let product = 0;
    for (let j = 0; j < length; j++) product += (unit[j] ?? 0) * (vector[j] ?? 0);
    for (let j = 0; j < length; j++) vector[j] = (vector[j] ?? 0) - product * (unit[j] ?? 0);
  }
}

function norm(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

function transposed(matrix: ArrayLike<number>, numRows: number, numColumns: number): Float64Array {
  const out = new Float64Array(numRows * numColumns);
  for (let row = 0; row < numRows; row++) {
    for (let column = 0; column < numColumns; column++) {
      out[column * numRows + row] = matrix[row * numColumns + column] ?? 0;
    }
  }
  return out;
}
