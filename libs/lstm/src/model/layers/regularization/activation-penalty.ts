import { add, concat, mul, slice, sub, tensor3d, zeros } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

/** What the penalties are weighed with. */
export interface PenaltyOptions {
  /** [T,B]: what each position counts in the loss. */
  readonly weights: Float32Array;
  readonly activationPenalty: number;
  readonly temporalActivationPenalty: number;
}

/** What the penalties pass back; undefined for those that are off. */
export interface PenaltyGradients {
  /** [T,B,H], with respect to the outputs after dropout. */
  readonly dropped: Tensor3D | undefined;
  /** [T,B,H], with respect to the outputs before dropout. */
  readonly outputs: Tensor3D | undefined;
}

/**
 * Activation and temporal activation regularization (Merity et al., 2018): α times the mean square of
 * the last layer's outputs after dropout, and β times that of their change from one step to the next,
 * before dropout. Both count like a position's loss, with its weight and the same denominator; a
 * change counts at the later of its two steps. They are not part of the losses that are reported.
 *
 * @param outputs [T,B,H], before dropout.
 * @param dropped [T,B,H], after dropout.
 */
export function penaltyGradients(
  outputs: Tensor3D,
  dropped: Tensor3D,
  options: PenaltyOptions,
): PenaltyGradients {
  const { activationPenalty, temporalActivationPenalty } = options;
  const [numSteps, numRows, hiddenSize] = outputs.shape;
  const weights = tensor3d(options.weights, [numSteps, numRows, 1]);
  const scaled = (values: Tensor3D, penalty: number): Tensor3D =>
    mul(mul(values, weights), (2 * penalty) / hiddenSize);
  if (temporalActivationPenalty === 0) {
    return {
      dropped: activationPenalty === 0 ? undefined : scaled(dropped, activationPenalty),
      outputs: undefined,
    };
  }
  const none: Tensor3D = zeros([1, numRows, hiddenSize]);
  const from = (first: number): Tensor3D =>
    slice(outputs, [first, 0, 0], [numSteps - 1, numRows, hiddenSize]);
  // h_t − h_{t−1} at step t, and nothing at the first.
  const changes: Tensor3D = numSteps === 1 ? none : concat([none, sub(from(1), from(0))], 0);
  const ofChanges = scaled(changes, temporalActivationPenalty);
  const later = slice(ofChanges, [1, 0, 0], [numSteps - 1, numRows, hiddenSize]);
  const ofEarlier: Tensor3D = numSteps === 1 ? none : concat([later, none], 0);
  return {
    dropped: activationPenalty === 0 ? undefined : scaled(dropped, activationPenalty),
    outputs: sub(ofChanges, ofEarlier),
  };
}

/** The sum of those that are there. */
export function addGradient(gradient: Tensor3D, further: Tensor3D | undefined): Tensor3D {
  return further === undefined ? gradient : add(gradient, further);
}
