import { scaleValues, sumOfSquares } from "@ostinato/kernels";

import type { ParameterLayout, TensorLayout } from "../layout/index.js";
import { normCoefficient } from "./global-norm.js";

/**
 * Averages the gradient and clips each layer's part by its own norm, as
 * torch.nn.utils.clip_grad_norm_ of that layer's parameters.
 *
 * @returns whether a layer was clipped
 */
export function clipByLayerNorm(
  layers: readonly (readonly TensorLayout[])[],
  {
    gradient,
    lossWeight,
    maxNorm,
    out,
  }: {
    readonly gradient: Float32Array;
    readonly lossWeight: number;
    readonly maxNorm: number;
    readonly out: Float32Array;
  },
): boolean {
  let clipped = false;
  for (const tensors of layers) {
    const part = (values: Float32Array, { offset, size }: TensorLayout): Float32Array =>
      values.subarray(offset, offset + size);
    const squares = tensors.reduce((sum, tensor) => sum + sumOfSquares(part(gradient, tensor)), 0);
    const coefficient = normCoefficient(Math.sqrt(squares) / lossWeight, maxNorm);
    clipped ||= coefficient < 1;
    for (const tensor of tensors) {
      scaleValues(part(gradient, tensor), coefficient / lossWeight, part(out, tensor));
    }
  }
  return clipped;
}

/**
 * The tensors of each layer: those whose names agree up to the first number, as in `layers.0`, or, for a
 * name without one, up to its last part, as in `head`.
 */
export function layersOf(layout: ParameterLayout): readonly (readonly TensorLayout[])[] {
  const layers = new Map<string, TensorLayout[]>();
  for (const tensor of layout.tensors) {
    const name = layerOf(tensor.name);
    const layer = layers.get(name);
    if (layer === undefined) layers.set(name, [tensor]);
    else layer.push(tensor);
  }
  return [...layers.values()];
}

/** The layer that a tensor belongs to. */
export function layerOf(tensor: string): string {
  const parts = tensor.split(".");
  const number = parts.findIndex((part) => /^\d+$/.test(part));
  return parts.slice(0, number === -1 ? -1 : number + 1).join(".");
}
