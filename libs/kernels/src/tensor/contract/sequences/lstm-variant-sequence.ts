import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { expectRank, expectShape, presentTensors, runKernel } from "../kernel-call.js";
import { KERNEL_NAMES } from "../kernel-names.js";
import { expectOptionShapes, optionTensors } from "./lstm-variant-options.js";
import type { LstmVariantOptions } from "./lstm-variant-options.js";

export interface LstmVariantSequenceForwardInputs extends LstmVariantOptions {
  /** [T,B,G·H]: the input's share of the gates with the bias; columns i, f, g, o or i, g, o. */
  readonly inputGates: Tensor3D;
  /** [R,G·H] */
  readonly recurrentKernel: Tensor2D;
  /** [H,P]: h = (o∘tanh(c))·projection (Sak et al. 2014); R is P then. None by default. */
  readonly projection?: Tensor2D | undefined;
  /** [B,R] */
  readonly initialHidden: Tensor2D;
  /** [B,H] */
  readonly initialCell: Tensor2D;
}

/** What the forward pass returns; backward needs all of it. */
export interface LstmVariantSequence {
  /** [T+1,B,R]: the initial hidden state, then h_t of each step. */
  readonly hidden: Tensor3D;
  /** [T+1,B,H]: the initial cell state, then c_t of each step. */
  readonly cell: Tensor3D;
  /** [T,B,H]: c̃_t, the new cell state before zoneout mixes it with the old; else c_t. */
  readonly cellCandidates: Tensor3D;
  /** [T,B,G·H]: the gates after their activations. */
  readonly gates: Tensor3D;
  /** [T,B,H]: tanh(c̃_t), of the normalized c̃_t with `layerNorm`. */
  readonly cellActivations: Tensor3D;
  /** [T,B,H]: o∘cellActivations; with a projection alone. */
  readonly projectionInputs: Tensor3D | undefined;
  /** [T,B,G·H]: the normalized recurrent product, before its gain; with `layerNorm` alone. */
  readonly recurrentNormalized: Tensor3D | undefined;
  /** [T,B]; with `layerNorm` alone. */
  readonly recurrentInverseDeviations: Tensor2D | undefined;
  /** [T,B,H]: the normalized c̃_t, before gain and bias; with `layerNorm` alone. */
  readonly cellNormalized: Tensor3D | undefined;
  /** [T,B]; with `layerNorm` alone. */
  readonly cellInverseDeviations: Tensor2D | undefined;
}

/**
 * All time steps of an LSTM layer with any of its options, which leave out what is not asked for:
 * - a = inputGates + recurrentGain∘normalized(h·Wh)
 * - i = σ(a_i + p_i∘c); f = σ(a_f + p_f∘c), or 1 − i; g = tanh(a_g)
 * - c̃ = f∘c + i∘g; c' = k_c∘c + (1 − k_c)∘c̃
 * - o = σ(a_o + p_o∘c̃)
 * - h̃ = (o∘tanh(cellGain∘normalized(c̃) + cellBias))·projection; h' = k_h∘h + (1 − k_h)∘h̃
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function lstmVariantSequenceForward(
  inputs: LstmVariantSequenceForwardInputs,
): LstmVariantSequence {
  const { inputGates, recurrentKernel, projection, initialHidden, initialCell } = inputs;
  const { coupledGates, layerNorm, onTimeSteps } = inputs;
  const kernelName = KERNEL_NAMES.lstmVariantSequenceForward;
  expectRank(kernelName, "inputGates", inputGates, 3);
  const [numSteps, numRows] = inputGates.shape;
  const [stateSize] = recurrentKernel.shape;
  const hiddenSize = projection === undefined ? stateSize : projection.shape[0];
  const numGates = coupledGates ? 3 : 4;
  const gateSize = numGates * hiddenSize;
  if (projection) expectShape(kernelName, "projection", projection, [hiddenSize, stateSize]);
  expectShape(kernelName, "recurrentKernel", recurrentKernel, [stateSize, gateSize]);
  expectShape(kernelName, "inputGates", inputGates, [numSteps, numRows, gateSize]);
  expectShape(kernelName, "initialHidden", initialHidden, [numRows, stateSize]);
  expectShape(kernelName, "initialCell", initialCell, [numRows, hiddenSize]);
  const sizes = { numSteps, numRows, hiddenSize, stateSize, numGates };
  expectOptionShapes(kernelName, inputs, sizes);
  const outputs = runKernel(
    kernelName,
    presentTensors({
      inputGates,
      recurrentKernel,
      projection,
      initialHidden,
      initialCell,
      ...optionTensors(inputs),
    }),
    { coupledGates, epsilon: layerNorm?.epsilon, onTimeSteps },
  );
  const [hidden, cell, cellCandidates, gates, cellActivations, ...optional] = outputs as [
    Tensor3D,
    Tensor3D,
    Tensor3D,
    Tensor3D,
    Tensor3D,
    ...Tensor[],
  ];
  const projectionInputs = projection && (optional.shift() as Tensor3D);
  const [recurrentNormalized, recurrentInverseDeviations, cellNormalized, cellInverseDeviations] =
    optional as [] | [Tensor3D, Tensor2D, Tensor3D, Tensor2D];
  return {
    hidden,
    cell,
    cellCandidates,
    gates,
    cellActivations,
    projectionInputs,
    recurrentNormalized,
    recurrentInverseDeviations,
    cellNormalized,
    cellInverseDeviations,
  };
}
