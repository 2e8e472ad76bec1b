/** Products with a bias, and their gradients. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import type { LeafSumsCall, LinearGradientsInputs } from "../../contract/index.js";
import { nativeAddon } from "../addon.js";
import { oneLeaf, treeOf } from "../kernel-call.js";
import type { Call } from "../kernel-call.js";

export function matMulBias({
  inputs,
  backend,
}: Call<{ rows: Tensor2D; kernel: Tensor2D; bias?: Tensor1D }>): Tensor[] {
  const { rows, kernel, bias } = inputs;
  const [numRows, inner] = rows.shape;
  const columns = kernel.shape[1];
  const product = backend.allocate([numRows, columns]);
  nativeAddon().matMulBias(
    backend.floats(rows),
    backend.floats(kernel),
    bias === undefined ? null : backend.floats(bias),
    backend.floats(product),
    numRows,
    inner,
    columns,
    false,
  );
  return [product];
}

export function linearGradient({
  inputs: { rows, gradient },
  backend,
}: Call<{ rows: Tensor2D; gradient: Tensor2D }>): Tensor[] {
  const [numPositions, inputs] = rows.shape;
  const outputs = gradient.shape[1];
  const kernelGradient = backend.allocate([inputs, outputs]);
  const biasGradient = backend.allocate([outputs]);
  nativeAddon().linearGradient(
    backend.floats(rows),
    null,
    backend.floats(gradient),
    ...oneLeaf(numPositions),
    backend.floats(kernelGradient),
    backend.floats(biasGradient),
    1,
    numPositions,
    inputs,
    0,
    outputs,
  );
  return [kernelGradient, biasGradient];
}

export function linearGradients({
  inputs: { rows, furtherRows, gradient },
  attrs,
  backend,
}: Call<LinearGradientsInputs, LeafSumsCall>): Tensor[] {
  const [numSteps, numRows, outputs] = gradient.shape;
  const inputs = rows.shape[2];
  const furtherInputs = furtherRows?.shape[2] ?? 0;
  const numNodes = attrs.nodes.length;
  const kernelGradients = backend.allocate([numNodes, inputs + furtherInputs, outputs]);
  const firstSteps = (sequence: Tensor3D): Float32Array =>
    backend.floats(sequence).subarray(0, numSteps * numRows * sequence.shape[2]);
  const biasGradients = backend.allocate([numNodes, outputs]);
  nativeAddon().linearGradient(
    firstSteps(rows),
    furtherRows === undefined ? null : firstSteps(furtherRows),
    backend.floats(gradient),
    ...treeOf(attrs),
    backend.floats(kernelGradients),
    backend.floats(biasGradients),
    numSteps,
    numRows,
    inputs,
    furtherInputs,
    outputs,
  );
  return [kernelGradients, biasGradients];
}
