import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { KernelError } from "../../kernel-error.js";
import { expectRank, expectShape, presentTensors, runKernel } from "../kernel-call.js";
import { KERNEL_NAMES } from "../kernel-names.js";
import { expectOptionShapes, optionTensors } from "./lstm-variant-options.js";
import type { LstmVariantOptions } from "./lstm-variant-options.js";
import type { LstmVariantSequence } from "./lstm-variant-sequence.js";

/** What the forward pass returned and was told, and: */
export interface LstmVariantSequenceBackwardInputs
  extends
    LstmVariantOptions,
    Omit<LstmVariantSequence, "hidden" | "cellCandidates" | "projectionInputs"> {
  /** [T,B,R]: gradient of each h_t, from what reads the layer's output. */
  readonly hiddenGradient: Tensor3D;
  /** [T,B,H]: gradient of each c_t, from what reads the cell state itself. None by default. */
  readonly cellGradient?: Tensor3D | undefined;
  /** [G·H,R]: transposed by the caller once per parameter version, not once per call. */
  readonly recurrentKernelTransposed: Tensor2D;
  /** [P,H]: likewise; needed where the forward pass had a projection. */
  readonly projectionTransposed?: Tensor2D | undefined;
}

/**
 * The gradients of one sequence. Those of a leaf's weights are products and sums over the leaf's
 * positions, of these and of the forward pass's tensors; states are those before the step, h_{t−1}
 * and c_{t−1}, the gates' rows and columns those of the weight:
 * - input kernel and bias: inputsᵀ·gateGradients, column sums of gateGradients
 * - recurrent kernel: hᵀ·recurrentGradients
 * - recurrentGain: column sums of gateGradients∘recurrentNormalized
 * - peephole: column sums of gateGradients_i∘c, gateGradients_f∘c, gateGradients_o∘cellCandidates
 * - projection: projectionInputsᵀ·projectionGradients
 * - cellGain, cellBias: column sums of cellNormGradients∘cellNormalized, of cellNormGradients
 */
export interface LstmVariantGradients {
  /** [T,B,G·H]: with respect to `inputGates`. */
  readonly gateGradients: Tensor3D;
  /** [T,B,G·H]: with respect to h·Wh; equal to `gateGradients` without `layerNorm`. */
  readonly recurrentGradients: Tensor3D;
  /** [B,R] */
  readonly initialHiddenGradient: Tensor2D;
  /** [B,H] */
  readonly initialCellGradient: Tensor2D;
  /** [T,B,P]: with respect to the projection's outputs; with a projection alone. */
  readonly projectionGradients: Tensor3D | undefined;
  /** [T,B,H]: with respect to the normalized cell after gain and bias; with `layerNorm` alone. */
  readonly cellNormGradients: Tensor3D | undefined;
}

/**
 * Backward through all time steps. The state after the last step gets no gradient but what
 * `hiddenGradient` and `cellGradient` say (truncated backpropagation through time).
 *
 * @throws KernelError `invalidShape` naming the tensor, its shape and the one expected.
 */
export function lstmVariantSequenceBackward(
  inputs: LstmVariantSequenceBackwardInputs,
): LstmVariantGradients {
  const { hiddenGradient, cellGradient, recurrentKernelTransposed, projectionTransposed } = inputs;
  const { coupledGates, layerNorm, onTimeSteps } = inputs;
  expectBackwardShapes(inputs);
  const [gateGradients, recurrentGradients, initialHiddenGradient, initialCellGradient, ...rest] =
    runKernel(
      KERNEL_NAMES.lstmVariantSequenceBackward,
      presentTensors({
        hiddenGradient,
        cellGradient,
        recurrentKernelTransposed,
        projectionTransposed,
        cell: inputs.cell,
        gates: inputs.gates,
        cellActivations: inputs.cellActivations,
        recurrentNormalized: inputs.recurrentNormalized,
        recurrentInverseDeviations: inputs.recurrentInverseDeviations,
        cellNormalized: inputs.cellNormalized,
        cellInverseDeviations: inputs.cellInverseDeviations,
        ...optionTensors(inputs),
      }),
      { coupledGates, onTimeSteps },
    ) as [Tensor3D, Tensor3D, Tensor2D, Tensor2D, ...Tensor3D[]];
  const projectionGradients = projectionTransposed && rest.shift();
  const cellNormGradients = layerNorm && rest.shift();
  return {
    gateGradients,
    recurrentGradients,
    initialHiddenGradient,
    initialCellGradient,
    projectionGradients,
    cellNormGradients,
  };
}

function expectBackwardShapes(inputs: LstmVariantSequenceBackwardInputs): void {
  const kernelName = KERNEL_NAMES.lstmVariantSequenceBackward;
  const { hiddenGradient, cellGradient, recurrentKernelTransposed, projectionTransposed } = inputs;
  const { cell, gates, cellActivations, coupledGates } = inputs;
  expectRank(kernelName, "hiddenGradient", hiddenGradient, 3);
  const [numSteps, numRows, stateSize] = hiddenGradient.shape;
  const hiddenSize = projectionTransposed ? projectionTransposed.shape[1] : stateSize;
  const numGates = coupledGates ? 3 : 4;
  const gateSize = numGates * hiddenSize;
  const [ofCells, ofGates] = [
    [numSteps, numRows, hiddenSize],
    [numSteps, numRows, gateSize],
  ];
  const expectAll = (shape: readonly number[], tensors: Record<string, Tensor | undefined>): void =>
    Object.entries(tensors).forEach(([name, tensor]) => {
      if (tensor) expectShape(kernelName, name, tensor, shape);
    });
  expectAll([stateSize, hiddenSize], { projectionTransposed });
  expectAll([gateSize, stateSize], { recurrentKernelTransposed });
  expectAll([numSteps + 1, numRows, hiddenSize], { cell });
  expectAll(ofCells, { cellGradient, cellActivations });
  expectAll(ofGates, { gates });
  const sizes = { numSteps, numRows, hiddenSize, stateSize, numGates };
  expectOptionShapes(kernelName, inputs, sizes);
  if (inputs.layerNorm === undefined) return;
  const { recurrentNormalized, cellNormalized } = inputs;
  const { recurrentInverseDeviations, cellInverseDeviations } = inputs;
  if (
    !recurrentNormalized ||
    !cellNormalized ||
    !recurrentInverseDeviations ||
    !cellInverseDeviations
  ) {
    const reason = `${kernelName}: with layerNorm, what the forward pass normalized is missing`;
    throw new KernelError("invalidShape", reason);
  }
  expectAll(ofGates, { recurrentNormalized });
  expectAll(ofCells, { cellNormalized });
  expectAll([numSteps, numRows], { recurrentInverseDeviations, cellInverseDeviations });
}
