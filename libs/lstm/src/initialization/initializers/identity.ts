import { numValues } from "./shape.js";
import type { Shape } from "./shape.js";

/**
 * `scale` on the diagonal, 0 elsewhere; of a matrix that is not square, on the first min(rows, columns)
 * of its diagonal, as PyTorch's eye_. Le, Jaitly and Hinton, "A simple way to initialize recurrent
 * networks of rectified linear units", 2015.
 */
export function identity(shape: Shape, { scale }: { readonly scale: number }): Float32Array {
  const [numRows = 1, numColumns = 1] = shape;
  const values = new Float32Array(numValues(shape));
  for (let i = 0; i < Math.min(numRows, numColumns); i++) values[i * (numColumns + 1)] = scale;
  return values;
}
