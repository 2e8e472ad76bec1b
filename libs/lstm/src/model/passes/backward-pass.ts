import { concat, mul, tensor1d } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  embeddingGradient,
  linearGradient,
  lstmSequenceBackward,
  matMulBias,
  sequenceRows,
} from "@ostinato/kernels/tensor";

import { asRows, asSequence } from "./carried-state.js";
import type { LayerActivations } from "./forward-pass.js";
import { positionsOfLeaf } from "./leaf-losses.js";
import type { ModelTensors } from "./model-tensors.js";
import type { Progress } from "../progress.js";
import { inTensorScope } from "./tensor-scope.js";
import type { BatchLeaf, TokenBatch } from "../token-batch.js";

/** Takes a parameter tensor's gradient of each leaf, in the order of the batch's leaves. */
export type OnGradient = (tensor: string, perLeaf: readonly Float32Array[]) => void;

/**
 * From the gradient of the last layer's outputs down to the embedding. What is per row is computed
 * for all rows at once; what is summed over positions, leaf by leaf.
 *
 * @param hiddenGradient [T,B,H], of the last layer's outputs.
 */
export function backwardPass(
  tensors: ModelTensors,
  batch: TokenBatch,
  activations: readonly LayerActivations[],
  hiddenGradient: Tensor3D,
  onGradient: OnGradient,
  progress: Progress,
): void {
  let outputGradient = hiddenGradient;
  for (let layer = activations.length - 1; layer >= 0; layer--) {
    progress.beginLayer();
    const { sequence, inputMask } = activations[layer]!;
    const { recurrentKernelTransposed, inputKernelTransposed } = tensors.layers[layer]!;
    const { gateGradients } = lstmSequenceBackward({
      hiddenGradient: outputGradient,
      gates: sequence.gates,
      cell: sequence.cell,
      cellActivations: sequence.cellActivations,
      recurrentKernelTransposed,
      onTimeSteps: progress.report,
    });
    const perLeaf = batch.leaves.map((leaf) => {
      progress.alive();
      return leafGradients(tensors, batch, activations[layer]!, gateGradients, layer, leaf);
    });
    onGradient(
      `layers.${layer}.kernel`,
      perLeaf.map(({ kernel }) => kernel),
    );
    onGradient(
      `layers.${layer}.bias`,
      perLeaf.map(({ bias }) => bias),
    );
    if (layer === 0) {
      onGradient(
        "embedding.table",
        perLeaf.map(({ table }) => table!),
      );
    } else {
      const inputGradient = matMulBias(asRows(gateGradients), inputKernelTransposed);
      const gradient_TBI = asSequence(inputGradient, batch.numRows);
      outputGradient = inputMask === undefined ? gradient_TBI : mul(gradient_TBI, inputMask);
    }
  }
}

interface LeafGradients {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  /** Of the embedding; layer 0 alone has it. */
  readonly table: Float32Array | undefined;
}

/** @param gateGradients [T,B,4H] */
function leafGradients(
  tensors: ModelTensors,
  batch: TokenBatch,
  { inputs, sequence }: LayerActivations,
  gateGradients: Tensor3D,
  layer: number,
  leaf: BatchLeaf,
): LeafGradients {
  const weights = tensors.layers[layer]!;
  if (leaf.numRows === 0) return zeroGradients(tensors, layer);
  return inTensorScope(() => {
    const block = { firstStep: 0, numSteps: batch.numSteps, ...leaf };
    const dz_N4H = sequenceRows(gateGradients, block);
    const before_NH = sequenceRows(sequence.hidden, block);
    const tokens = (): Tensor1D => tensor1d(positionsOfLeaf(batch.inputs, batch, leaf), "int32");
    const vocabularySize = tensors.table.shape[0];
    if (inputs === undefined) {
      // The projected table's gradient, and from it those of its two factors.
      const recurrent = linearGradient(before_NH, dz_N4H);
      const projected_V4H = embeddingGradient(tokens(), dz_N4H, vocabularySize);
      const inputKernel = matMulBias(tensors.tableTransposed, projected_V4H);
      const table = matMulBias(projected_V4H, weights.inputKernelTransposed);
      return {
        kernel: values(concat([inputKernel, recurrent.kernelGradient], 0)),
        bias: values(recurrent.biasGradient),
        table: values(table),
      };
    }
    const inputs_NI = sequenceRows(asSequence(inputs, batch.numRows), block);
    const { kernelGradient, biasGradient } = linearGradient(
      concat([inputs_NI, before_NH], 1),
      dz_N4H,
    );
    let table: Float32Array | undefined;
    if (layer === 0) {
      const dx_NE = matMulBias(dz_N4H, weights.inputKernelTransposed);
      table = values(embeddingGradient(tokens(), dx_NE, vocabularySize));
    }
    return { kernel: values(kernelGradient), bias: values(biasGradient), table };
  });
}

function zeroGradients(tensors: ModelTensors, layer: number): LeafGradients {
  const { inputKernel, recurrentKernel, bias } = tensors.layers[layer]!;
  return {
    kernel: new Float32Array(inputKernel.size + recurrentKernel.size),
    bias: new Float32Array(bias.size),
    table: layer === 0 ? new Float32Array(tensors.table.size) : undefined,
  };
}

function values(tensor: Tensor): Float32Array {
  return tensor.dataSync<"float32">();
}
