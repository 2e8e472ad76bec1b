/** The reference layer normalization, composed of plain tfjs ops. Letters as in the contract. */
import { add, div, mean, mul, reshape, sqrt, sub, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import type { KernelCall } from "../registered-kernel.js";

/** @returns [N,C] (row − mean) / deviation, and [N,1] 1 / deviation. */
export function normalizedRows(
  rows_NC: Tensor2D,
  epsilon: number,
): { readonly normalized: Tensor2D; readonly inverseDeviations: Tensor2D } {
  const centered_NC: Tensor2D = sub(rows_NC, mean(rows_NC, 1, true));
  const variance_N1: Tensor2D = mean(mul(centered_NC, centered_NC), 1, true);
  const inverseDeviations: Tensor2D = div(1, sqrt(add(variance_N1, epsilon)));
  return { normalized: mul(centered_NC, inverseDeviations), inverseDeviations };
}

/**
 * @param gradient_NC with respect to the normalized rows.
 * @param inverseDeviations_N1 [N,1]
 */
export function normalizedRowsGradient(
  gradient_NC: Tensor2D,
  normalized_NC: Tensor2D,
  inverseDeviations_N1: Tensor2D,
): Tensor2D {
  const mean_N1 = mean(gradient_NC, 1, true);
  const slope_N1 = mean(mul(gradient_NC, normalized_NC), 1, true);
  const centered_NC = sub(sub(gradient_NC, mean_N1), mul(normalized_NC, slope_N1));
  return mul(centered_NC, inverseDeviations_N1);
}

export interface LayerNormTensors {
  readonly rows: Tensor2D;
  readonly gain?: Tensor1D;
  readonly bias?: Tensor1D;
}

export function layerNorm({
  inputs,
  attrs,
}: KernelCall<LayerNormTensors, { epsilon: number }>): Tensor[] {
  return tidy(() => {
    const { normalized, inverseDeviations } = normalizedRows(inputs.rows, attrs.epsilon);
    const scaled = inputs.gain === undefined ? normalized.clone() : mul(normalized, inputs.gain);
    const outputs = inputs.bias === undefined ? scaled : add(scaled, inputs.bias);
    return [outputs, normalized, reshape(inverseDeviations, [-1])];
  });
}

export interface LayerNormGradientTensors {
  readonly gradient: Tensor2D;
  readonly normalized: Tensor2D;
  readonly inverseDeviations: Tensor1D;
  readonly gain?: Tensor1D;
}

export function layerNormGradient({ inputs }: KernelCall<LayerNormGradientTensors>): Tensor[] {
  return tidy(() => {
    const { gradient, normalized, gain } = inputs;
    const scaled: Tensor2D = gain === undefined ? gradient : mul(gradient, gain);
    const inverse_N1: Tensor2D = reshape(inputs.inverseDeviations, [-1, 1]);
    return [normalizedRowsGradient(scaled, normalized, inverse_N1)];
  });
}
