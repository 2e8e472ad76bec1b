/** Parts of time-major tensors, slopes of activations and zoneout, of plain tfjs ops. */
import { add, mul, reshape, slice, sub } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

/** [T,B,C] → [B,C] at step t. */
export function stepOf(sequence: Tensor3D, t: number): Tensor2D {
  const [, numRows, numColumns] = sequence.shape;
  return reshape(slice(sequence, [t, 0, 0], [1, numRows, numColumns]), [numRows, numColumns]);
}

/** Columns [first·H, (first + count)·H) of a [B,G·H] tensor. */
export function columnBlock(
  gates_BG: Tensor2D,
  first: number,
  hiddenSize: number,
  count = 1,
): Tensor2D {
  return slice(gates_BG, [0, first * hiddenSize], [gates_BG.shape[0], count * hiddenSize]);
}

/** σ'(z) by y = σ(z). */
export function sigmoidSlope(y: Tensor2D): Tensor2D {
  return mul(y, sub(1, y));
}

/** tanh'(z) by y = tanh(z). */
export function tanhSlope(y: Tensor2D): Tensor2D {
  return sub(1, mul(y, y));
}

/** k∘before + (1 − k)∘after, or `after` without `keep`. */
export function zonedOut(
  keep: Tensor3D | undefined,
  t: number,
  before: Tensor2D,
  after: Tensor2D,
): Tensor2D {
  if (keep === undefined) return after;
  const k = stepOf(keep, t);
  return add(mul(k, before), mul(sub(1, k), after));
}

/** The shares of a mixed state's gradient that go to the state before, if any, and to the new one. */
export function zoneoutGradients(
  keep: Tensor3D | undefined,
  t: number,
  gradient: Tensor2D,
): { readonly before: Tensor2D | undefined; readonly after: Tensor2D } {
  if (keep === undefined) return { before: undefined, after: gradient };
  const k = stepOf(keep, t);
  return { before: mul(k, gradient), after: mul(sub(1, k), gradient) };
}

/** The sum of the terms that there are. */
export function sumOf(first: Tensor2D, ...terms: readonly (Tensor2D | undefined)[]): Tensor2D {
  return terms.reduce<Tensor2D>((sum, term) => (term === undefined ? sum : add(sum, term)), first);
}
