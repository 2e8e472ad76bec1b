import { mul, tensor1d, tensor3d } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  embeddingGather,
  lstmSequenceForward,
  matMulBias,
  sequenceRows,
} from "@ostinato/kernels/tensor";
import type { LstmSequence } from "@ostinato/kernels/tensor";

import { fillDropoutMask } from "../../random/index.js";
import type { ModelSpec } from "../../spec/index.js";
import { asRows, asSequence, joinStates } from "./carried-state.js";
import type { ModelTensors } from "./model-tensors.js";
import type { Progress } from "../progress.js";
import type { TokenBatch } from "../token-batch.js";

/** What one layer computed and backward needs again. */
export interface LayerActivations {
  /** [T·B,I]: the layer's inputs; undefined for a layer 0 that reads the projected table. */
  readonly inputs: Tensor2D | undefined;
  /** [T,B,I]: the mask that the inputs were multiplied with; undefined without dropout. */
  readonly inputMask: Tensor3D | undefined;
  readonly sequence: LstmSequence;
}

/** Names the dropout masks of one step. */
export interface DropoutKey {
  readonly seed: number;
  readonly step: number;
}

/** The part of a batch that the layers read. */
export type TokenInputs = Pick<TokenBatch, "numSteps" | "numRows" | "inputs" | "leaves">;

/**
 * All layers over all rows of the batch.
 *
 * @param dropout undefined for evaluation and inference.
 * @returns one entry a layer, tracked by the caller's tidy scope.
 */
export function forwardPass(
  spec: ModelSpec,
  tensors: ModelTensors,
  batch: TokenInputs,
  states: readonly Float32Array[],
  dropout: DropoutKey | undefined,
  progress: Progress,
): readonly LayerActivations[] {
  const { numRows, leaves } = batch;
  const tokens = tensor1d(batch.inputs, "int32");
  const activations: LayerActivations[] = [];
  for (const [layer, weights] of tensors.layers.entries()) {
    progress.beginLayer();
    const below = activations[layer - 1]?.sequence;
    const inputMask = below && dropout && dropoutMask(spec, batch, dropout, layer - 1);
    const inputs = below ? maskedOutputs(below, inputMask) : embeddedTokens(tensors, tokens);
    const inputGates =
      inputs === undefined
        ? embeddingGather(tensors.projectedTable!, tokens)
        : matMulBias(inputs, weights.inputKernel, weights.bias);
    const initial = joinStates(states, leaves, layer, numRows, spec.hiddenSize);
    const sequence = lstmSequenceForward({
      inputGates: asSequence(inputGates, numRows),
      recurrentKernel: weights.recurrentKernel,
      initialHidden: initial.hidden,
      initialCell: initial.cell,
      onTimeSteps: progress.report,
    });
    activations.push({ inputs, inputMask, sequence });
  }
  return activations;
}

/** [T·B,E], or undefined when layer 0's gates come from the projected table. */
function embeddedTokens(tensors: ModelTensors, tokens: Tensor1D): Tensor2D | undefined {
  return tensors.projectedTable === undefined ? embeddingGather(tensors.table, tokens) : undefined;
}

/** h_1 … h_T of a layer, dropped out: [T·B,H]. */
function maskedOutputs({ hidden }: LstmSequence, mask: Tensor3D | undefined): Tensor2D {
  const outputs = outputsOfRows(hidden, 0, hidden.shape[1]);
  return mask === undefined ? outputs : mul(outputs, asRows(mask));
}

/**
 * The layer's outputs h_1 … h_T of some rows, [T·rows,H] in the order (time, row).
 *
 * @param hidden [T+1,B,H], with the initial state first.
 */
export function outputsOfRows(hidden: Tensor3D, firstRow: number, numRows: number): Tensor2D {
  return sequenceRows(hidden, { firstStep: 1, numSteps: hidden.shape[0] - 1, firstRow, numRows });
}

/**
 * The mask on the outputs of `layer`, drawn for each row of a leaf by itself, so that it does not
 * depend on what else is in the batch. Undefined when the spec has no dropout.
 *
 * @returns [T,B,H], 0 or 1 / (1 − dropout).
 */
function dropoutMask(
  { hiddenSize, dropout }: ModelSpec,
  { numSteps, numRows, leaves }: TokenInputs,
  { seed, step }: DropoutKey,
  layer: number,
): Tensor3D | undefined {
  if (dropout === 0) return undefined;
  const mask = new Float32Array(numSteps * numRows * hiddenSize);
  const maskOfRow = new Float32Array(numSteps * hiddenSize);
  for (const { leaf, firstRow, numRows: rowsOfLeaf } of leaves) {
    for (let row = 0; row < rowsOfLeaf; row++) {
      fillDropoutMask({ seed, step, purpose: "dropout", layer, leaf, row }, 1 - dropout, maskOfRow);
      for (let t = 0; t < numSteps; t++) {
        const ofStep = maskOfRow.subarray(t * hiddenSize, (t + 1) * hiddenSize);
        mask.set(ofStep, (t * numRows + firstRow + row) * hiddenSize);
      }
    }
  }
  return tensor3d(mask, [numSteps, numRows, hiddenSize]);
}
