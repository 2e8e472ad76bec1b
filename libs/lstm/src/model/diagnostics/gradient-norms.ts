import { sumOfSquares } from "@ostinato/kernels";

import { layerOf } from "../../clipping/index.js";
import type { ParameterLayout } from "../../layout/index.js";

export interface NamedNorm {
  readonly name: string;
  readonly norm: number;
}

/** Euclidean norms of parts of one gradient. */
export interface GradientNorms {
  /** Of the whole gradient. */
  readonly global: number;
  /** Of all tensors of each layer, as `clipping.kind: layer` takes them together. */
  readonly layers: readonly NamedNorm[];
  readonly tensors: readonly NamedNorm[];
}

/**
 * Norms of the averaged gradient, before clipping. Gradients that grow or shrink from layer to layer,
 * or a whole one that is a multiple of what it was before, are exploding or vanishing gradients (Pascanu,
 * Mikolov and Bengio, 2013, section 3.2: clipping acts on the global norm).
 *
 * @param gradient of the SUM of the losses, in the layout's order.
 * @param lossWeight what the sum is divided by.
 */
export function gradientNorms(
  layout: ParameterLayout,
  gradient: Float32Array,
  lossWeight: number,
): GradientNorms {
  const squares = new Map<string, number>();
  const tensors = layout.tensors.map(({ name, offset, size }): NamedNorm => {
    const ofTensor = sumOfSquares(gradient.subarray(offset, offset + size));
    squares.set(layerOf(name), (squares.get(layerOf(name)) ?? 0) + ofTensor);
    return { name, norm: Math.sqrt(ofTensor) / lossWeight };
  });
  return {
    global: Math.sqrt(sumOfSquares(gradient)) / lossWeight,
    layers: [...squares].map(([name, sum]) => ({ name, norm: Math.sqrt(sum) / lossWeight })),
    tensors,
  };
}
