/** Parts of `HiddenPaths` that cells have in common, and those of the GRU. */
import { add, mul, slice, sub } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { matMulBias } from "@ostinato/kernels/tensor";

import type { RecurrentStackSpec } from "../../../spec/index.js";
import { asRows, asSequence } from "../../pass/index.js";

/**
 * @param gradients [T,B,N], with respect to the products.
 * @param transposed [N,R], of what the hidden state was multiplied with.
 * @returns [T,B,R]
 */
export function throughProducts(gradients: Tensor3D, transposed: Tensor2D): Tensor3D {
  return asSequence(matMulBias(asRows(gradients), transposed), gradients.shape[1]);
}

/** With the reset before the product it is r∘h that the candidate's columns multiply. */
export function gruProducts(
  { resetAfter, hiddenSize }: Pick<RecurrentStackSpec, "resetAfter" | "hiddenSize">,
  gates: Tensor3D,
  gradients: Tensor3D,
  transposed: Tensor2D,
): Tensor3D {
  if (resetAfter) return throughProducts(gradients, transposed);
  const part = (first: number, count: number): Tensor3D => {
    const rows: Tensor2D = slice(transposed, [first, 0], [count, hiddenSize]);
    return throughProducts(columns(gradients, first, count), rows);
  };
  const ofGates = part(0, 2 * hiddenSize);
  const ofReset = part(2 * hiddenSize, hiddenSize);
  return add(ofGates, mul(columns(gates, 0, hiddenSize), ofReset));
}

/** z, and of zoneout's m: m + (1 − m)∘z = z + m∘(1 − z). */
export function gruDirect(gates: Tensor3D, keep: Tensor3D | undefined): Tensor3D {
  const hiddenSize = gates.shape[2] / 3;
  const update = columns(gates, hiddenSize, hiddenSize);
  return keep === undefined ? update : add(update, mul(keep, sub(1, update)));
}

function columns(sequence: Tensor3D, first: number, count: number): Tensor3D {
  const [numSteps, numRows] = sequence.shape;
  return slice(sequence, [0, 0, first], [numSteps, numRows, count]);
}
