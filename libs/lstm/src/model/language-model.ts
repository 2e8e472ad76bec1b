import type { Tensor3D } from "@tensorflow/tfjs-core";

import { matMulBias } from "@ostinato/kernels/tensor";
import type { LstmSequence } from "@ostinato/kernels/tensor";

import { parameterLayout, stateShape } from "../layout/index.js";
import type { ParameterLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import type { ModelSpec } from "../spec/index.js";
import {
  backwardPass,
  createModelTensors,
  disposeModelTensors,
  forwardPass,
  inTensorScope,
  leafLosses,
  leafLossGradients,
  outputsOfRows,
  stateOfLeaf,
} from "./passes/index.js";
import type { LayerActivations, LeafLoss, ModelTensors, OnGradient } from "./passes/index.js";
import { Progress } from "./progress.js";
import type { ProgressOptions } from "./progress.js";
import { checkState, checkTokenBatch, checkTokens } from "./token-batch.js";
import type { BatchLeaf, LeafOutcome, TokenBatch } from "./token-batch.js";

export interface ComputeGradientsOptions extends ProgressOptions {
  readonly batch: TokenBatch;
  /** The carried state of each of the batch's leaves, in their order. */
  readonly states: readonly Float32Array[];
  /** With `step`, names the dropout masks. */
  readonly seed: number;
  readonly step: number;
  /**
   * Given each parameter tensor's gradient as soon as backward has it, the last layer's first:
   * head.kernel, head.bias, layers.N.kernel, layers.N.bias, …, embedding.table. The arrays are new
   * and the receiver's to keep.
   */
  readonly onGradient: OnGradient;
}

export interface EvaluateOptions extends ProgressOptions {
  readonly batch: TokenBatch;
  /** The carried state of each of the batch's leaves, in their order. */
  readonly states: readonly Float32Array[];
}

/**
 * Embedding, LSTM layers with dropout between them, linear head, softmax cross-entropy.
 *
 * It computes on the tfjs backend that is selected while it is called; select one before the first
 * `setParameters` and stay with it. Every result of a leaf is the same, bit for bit, whichever other
 * leaves are in the batch. No method leaves a tensor behind, also when it throws; the one parameter
 * version set last stays on the backend until `dispose`. What a caller can get wrong is an LstmError; a
 * KernelError `invalidShape` out of a method would be a fault of this package.
 */
export interface LanguageModel {
  readonly spec: ModelSpec;
  readonly layout: ParameterLayout;
  /**
   * Replaces the parameters.
   *
   * @param flat in the layout's order; copied.
   * @throws LstmError `invalidParameters` when the length is not the layout's.
   */
  setParameters(flat: Float32Array): void;
  /**
   * Gradients of the SUM of weight × loss over each leaf's positions.
   *
   * @throws LstmError `cancelled`, `invalidBatch`, `invalidParameters` (none set yet), and
   *   `invalidRandomKey` for a seed, step or leaf that names no dropout mask, where there is dropout.
   */
  computeGradients(options: ComputeGradientsOptions): readonly LeafOutcome[];
  /**
   * Losses without dropout.
   *
   * @throws LstmError `cancelled`, `invalidBatch`, `invalidParameters` (none set yet).
   */
  evaluate(options: EvaluateOptions): readonly LeafOutcome[];
  /**
   * One time step.
   *
   * @param tokens [rows]
   * @param state of one leaf with these rows.
   * @returns logits [rows,V] of the next token, and the state after this one.
   * @throws LstmError `invalidBatch`, `invalidParameters` (none set yet).
   */
  predictNext(
    tokens: Int32Array,
    state: Float32Array,
  ): { readonly logits: Float32Array; readonly state: Float32Array };
  /** Frees the parameters; new ones can be set afterwards. */
  dispose(): void;
}

/** A language model without parameters; give it some with `setParameters`. */
export function createLanguageModel(spec: ModelSpec): LanguageModel {
  const layout = parameterLayout(spec);
  const { valuesPerRow } = stateShape(spec);
  let current: ModelTensors | undefined;

  function parameters(): ModelTensors {
    if (current === undefined) {
      throw new LstmError("invalidParameters", "no parameters set: call setParameters first");
    }
    return current;
  }

  function dispose(): void {
    if (current !== undefined) disposeModelTensors(current);
    current = undefined;
  }

  return {
    spec,
    layout,
    dispose,

    setParameters(flat) {
      const next = createModelTensors(spec, layout, flat);
      dispose();
      current = next;
    },

    computeGradients({ batch, states, seed, step, onGradient, onProgress, isCancelled }) {
      const tensors = parameters();
      checkTokenBatch(batch, states, spec.vocabularySize, valuesPerRow);
      if (batch.numRows === 0) {
        for (const { name, size } of inBackwardOrder(layout)) {
          onGradient(
            name,
            batch.leaves.map(() => new Float32Array(size)),
          );
        }
        return batch.leaves.map(emptyOutcome);
      }
      const progress = new Progress({ onProgress, isCancelled });
      return inTensorScope(() => {
        progress.beginPhase("forward");
        const activations = forwardPass(spec, tensors, batch, states, { seed, step }, progress);
        const head = leafLossGradients(tensors, batch, lastHidden(activations), progress);
        progress.beginPhase("backward");
        onGradient("head.kernel", head.kernelGradients);
        onGradient("head.bias", head.biasGradients);
        backwardPass(tensors, batch, activations, head.hiddenGradient, onGradient, progress);
        return outcomesOf(batch, activations, head.losses);
      });
    },

    evaluate({ batch, states, onProgress, isCancelled }) {
      const tensors = parameters();
      checkTokenBatch(batch, states, spec.vocabularySize, valuesPerRow);
      if (batch.numRows === 0) return batch.leaves.map(emptyOutcome);
      const progress = new Progress({ onProgress, isCancelled });
      return inTensorScope(() => {
        progress.beginPhase("forward");
        const activations = forwardPass(spec, tensors, batch, states, undefined, progress);
        const losses = leafLosses(tensors, batch, lastHidden(activations), progress);
        return outcomesOf(batch, activations, losses);
      });
    },

    predictNext(tokens, state) {
      const tensors = parameters();
      const numRows = tokens.length;
      checkTokens("tokens", tokens, spec.vocabularySize);
      checkState("of the rows", state, numRows, valuesPerRow);
      if (numRows === 0) return { logits: new Float32Array(0), state: new Float32Array(0) };
      const leaves = [{ leaf: 0, firstRow: 0, numRows }];
      const batch = { numSteps: 1, numRows, inputs: tokens, leaves };
      return inTensorScope(() => {
        const progress = new Progress({});
        const activations = forwardPass(spec, tensors, batch, [state], undefined, progress);
        const hidden_BH = outputsOfRows(lastHidden(activations), 0, numRows);
        const logits_BV = matMulBias(hidden_BH, tensors.headKernel, tensors.headBias);
        return {
          logits: logits_BV.dataSync<"float32">(),
          state: stateOfLeaf(sequencesOf(activations), leaves[0]!),
        };
      });
    },
  };
}

function sequencesOf(activations: readonly LayerActivations[]): LstmSequence[] {
  return activations.map(({ sequence }) => sequence);
}

/** [T+1,B,H] of the last layer. */
function lastHidden(activations: readonly LayerActivations[]): Tensor3D {
  return activations.at(-1)!.sequence.hidden;
}

function outcomesOf(
  batch: TokenBatch,
  activations: readonly LayerActivations[],
  losses: readonly LeafLoss[],
): LeafOutcome[] {
  const sequences = sequencesOf(activations);
  return batch.leaves.map((leaf, index) => ({
    leaf: leaf.leaf,
    ...losses[index]!,
    state: stateOfLeaf(sequences, leaf),
  }));
}

function emptyOutcome({ leaf }: BatchLeaf): LeafOutcome {
  return { leaf, lossSum: 0, lossWeight: 0, state: new Float32Array(0) };
}

/** The parameter tensors as backward reaches them: rooms from last to first, kernel before bias. */
function inBackwardOrder(layout: ParameterLayout): ParameterLayout["tensors"] {
  const roomOf = (name: string): string => name.slice(0, name.lastIndexOf("."));
  const rooms = [...new Set(layout.tensors.map(({ name }) => roomOf(name)))].reverse();
  return rooms.flatMap((room) => layout.tensors.filter(({ name }) => roomOf(name) === room));
}
