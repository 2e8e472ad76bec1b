import type { Tensor3D } from "@tensorflow/tfjs-core";

import { linearGradients } from "@ostinato/kernels/tensor";
import type { LinearGradientsInputs } from "@ostinato/kernels/tensor";

import { columnSums, leafGradients, nodeSums, perNode, positionsOf } from "../../pass/index.js";
import type { Pass } from "../../pass/index.js";
import type { RecurrentGradients } from "./cell.js";

/**
 * Of a kernel whose product with h_{t−1}, or with the inputs and h_{t−1}, goes into the gates as it is, and of the bias.
 *
 * @param inputs.rows [T+1,B,R] hidden states, or [T,B,I] inputs with hidden states as `furtherRows`
 * @param inputs.gradient [T,B,G·H], of the gates.
 */
export function recurrentGradients(pass: Pass, inputs: LinearGradientsInputs): RecurrentGradients {
  pass.progress.alive();
  const sums = linearGradients({ ...pass, ...inputs });
  return { kernels: perNode(sums.kernelGradients), biases: perNode(sums.biasGradients) };
}

/**
 * The kernel's gradient alone, of each node.
 *
 * @param rows [T+,B,R]: what the kernel multiplied.
 * @param products [T,B,G·H]: gradient of the products.
 */
export function kernelGradients(
  pass: Pass,
  rows: Tensor3D,
  products: Tensor3D,
): readonly Float32Array[] {
  pass.progress.alive();
  return perNode(linearGradients({ ...pass, rows, gradient: products }).kernelGradients);
}

/** Column sums of [T,B,C] over the positions of each node. */
export function biasGradients(
  pass: Pass,
  name: string,
  gradient: Tensor3D,
): readonly Float32Array[] {
  const [perLeaf] = leafGradients(pass, [name], (leaf) => [
    columnSums(positionsOf(gradient, leaf)),
  ]);
  return nodeSums(pass, perLeaf!);
}
