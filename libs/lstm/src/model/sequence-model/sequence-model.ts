import { reshape, tensor3d } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { ParameterLayout } from "../../layout/index.js";
import { createLoss } from "../../losses/index.js";
import type { SequenceModelSpec } from "../../spec/index.js";
import {
  addGradient,
  dropout,
  embedding,
  linear,
  penaltyGradients,
  recurrentStack,
  zeroStates,
} from "../layers/index.js";
import type { Forwarded } from "../layers/index.js";
import { ModelCore } from "../model-core.js";
import { asSequence, inTensorScope, Padding, Progress } from "../pass/index.js";
import type {
  OnGradient,
  Pass,
  PassObserver,
  ProgressOptions,
  SetParametersOptions,
  WantedNodes,
} from "../pass/index.js";
import { checkSequenceBatch, checkSequenceInputs, readInputs } from "./sequence-batch.js";
import type { SequenceBatch, SequenceInputs } from "./sequence-batch.js";
import { positionWeights, sequenceLosses, sequenceLossGradients } from "./sequence-losses.js";
import type { LeafOutcome } from "../leaf-outcome.js";

export interface SequenceGradientsOptions extends ProgressOptions {
  readonly batch: SequenceBatch;
  /** With `step`, names the random masks. */
  readonly seed: number;
  readonly step: number;
  /** Given each parameter tensor's gradient of each leaf as soon as backward has it. */
  readonly onGradient: OnGradient;
  /**
   * Nodes of the gradient tree, by the places of their leaves in the batch: gradients are summed to
   * these. Each leaf by itself by default.
   */
  readonly nodes?: WantedNodes | undefined;
  /** Looks on in the recurrent layers; the gradients have the same bits with and without one. */
  readonly observer?: PassObserver | undefined;
}

export interface SequenceEvaluateOptions extends ProgressOptions {
  readonly batch: SequenceBatch;
}

/**
 * Values or tokens, recurrent layers, linear head, loss. It carries no state: every row is a whole
 * sequence that starts from zeros. What is said of a `LanguageModel`'s tensors, bits and errors holds
 * here too.
 */
export interface SequenceModel {
  readonly spec: SequenceModelSpec;
  readonly layout: ParameterLayout;
  /** @throws LstmError `invalidParameters` when the length is not the layout's. */
  setParameters(flat: Float32Array, options?: SetParametersOptions): void;
  /** @throws LstmError `invalidStatistics` when the length is not that of `statisticsLayout(spec)`. */
  setRunningStatistics(flat: Float64Array): void;
  /**
   * Gradients of the SUM of weight × loss over each leaf.
   *
   * @throws LstmError `cancelled`, `invalidBatch`, `invalidParameters` (none set yet)
   */
  computeGradients(options: SequenceGradientsOptions): readonly LeafOutcome[];
  /**
   * Losses without dropout and the like, with the running statistics.
   *
   * @throws LstmError `cancelled`, `invalidBatch`, `invalidParameters` (none set yet)
   */
  evaluate(options: SequenceEvaluateOptions): readonly LeafOutcome[];
  /**
   * The head's outputs, before any softmax or softplus.
   *
   * @returns [T,B,O] of every step, zeros in the padding; [B,O] of the last one. O: docs/training/losses.md.
   * @throws LstmError `invalidBatch`, `invalidParameters` (none set yet)
   */
  predict(inputs: SequenceInputs): Float32Array;
  /** Frees the parameters; new ones can be set afterwards. */
  dispose(): void;
}

/** A sequence model without parameters; give it some with `setParameters`. */
export function createSequenceModel(spec: SequenceModelSpec): SequenceModel {
  const core = new ModelCore(spec);
  const sizes = { numTargets: spec.numTargets };
  const loss = createLoss(spec.loss, sizes);
  const plainLoss =
    spec.loss.kind === "crossEntropy"
      ? createLoss({ ...spec.loss, labelSmoothing: 0 }, sizes)
      : loss;

  return {
    spec,
    ...core.handle,

    computeGradients(options) {
      const { batch } = options;
      checkSequenceBatch(spec, batch);
      return core.train(options, (pass) => {
        const run = forward(pass, spec, batch);
        const outputs = run.outputs.dataSync<"float32">();
        const { losses, outputGradient } = sequenceLossGradients(spec, loss, batch, outputs);
        pass.progress.beginPhase("backward");
        run.backward(tensor3d(outputGradient, run.outputs.shape), positionWeights(spec, batch));
        return { losses };
      });
    },

    evaluate(options) {
      const { batch } = options;
      checkSequenceBatch(spec, batch);
      return core.evaluate(options, (pass) => {
        const outputs = forward(pass, spec, batch).outputs.dataSync<"float32">();
        return { losses: sequenceLosses(spec, plainLoss, batch, outputs) };
      });
    },

    predict(inputs) {
      checkSequenceInputs(spec, inputs);
      const { numRows } = inputs;
      const leaves = [{ leaf: 0, firstRow: 0, numRows }];
      const pass = core.pass({ numRows, leaves, progress: new Progress({}) });
      if (numRows === 0) return new Float32Array(0);
      return inTensorScope(() => {
        const { outputs } = forward(pass, spec, inputs);
        const padding = paddingOf(inputs);
        const isMasked = padding !== undefined && spec.output === "everyStep";
        return (isMasked ? padding.mask(outputs) : outputs).dataSync<"float32">();
      });
    },
  };
}

interface SequenceRun {
  /** [T',B,O]; T' is 1 for outputs of the last step. */
  readonly outputs: Tensor3D;
  readonly backward: (gradient: Tensor3D, weights: Float32Array) => void;
}

function forward(pass: Pass, spec: SequenceModelSpec, batch: SequenceInputs): SequenceRun {
  const padding = paddingOf(batch);
  const source = sourceOf(pass, spec, batch);
  const { variationalDropout: isLocked, bidirectional } = spec;
  const dropped = dropout(pass, source.outputs, {
    rate: spec.inputDropout,
    purpose: "inputDropout",
    layer: 0,
    isLocked,
  });
  const stack = recurrentStack({
    pass,
    spec,
    bidirectional,
    prefix: "",
    firstMaskLayer: 0,
    inputs: dropped.outputs,
    initial: zeroStates(spec, bidirectional, batch.numRows),
    padding,
    lengths: batch.lengths,
  });
  const above = dropout(pass, stack.outputs, {
    rate: spec.outputDropout,
    purpose: "outputDropout",
    layer: 0,
    isLocked,
  });
  const chosen: Forwarded =
    spec.output === "lastStep"
      ? lastStep(above.outputs, padding)
      : { outputs: above.outputs, backward: (gradient) => gradient };
  const head = linear(pass, chosen.outputs, "head");
  return {
    outputs: head.outputs,
    backward(gradient, weights) {
      const penalties = penaltyGradients(stack.outputs, above.outputs, { ...spec, weights });
      const ofAbove = chosen.backward(head.backward(gradient));
      const ofStack = above.backward(addGradient(ofAbove, penalties.dropped));
      const { inputs } = stack.backward(addGradient(ofStack, penalties.outputs));
      source.backward(() => dropped.backward(inputs!));
    },
  };
}

function paddingOf({ lengths, numSteps }: SequenceInputs): Padding | undefined {
  return lengths && new Padding(lengths, numSteps);
}

interface Source {
  readonly outputs: Tensor3D;
  readonly backward: (gradient: () => Tensor3D) => void;
}

function sourceOf(pass: Pass, spec: SequenceModelSpec, batch: SequenceInputs): Source {
  const { numSteps, numRows } = batch;
  const read = readInputs(spec, batch);
  if (spec.input.kind === "tokens") {
    const tokens = { ids: read as Int32Array, numSteps, numRows };
    const { outputs, backward } = embedding(pass, tokens, {
      tableName: "embedding.table",
      dropout: spec.embeddingDropout,
      maskLayer: 0,
      tiedGradients: () => undefined,
    });
    return {
      outputs,
      backward: (gradient) => {
        backward(gradient());
      },
    };
  }
  const outputs = tensor3d(read as Float32Array, [numSteps, numRows, spec.input.size]);
  return { outputs, backward: () => undefined };
}

/** [T,B,C] → [1,B,C] at each row's last step. */
function lastStep(outputs: Tensor3D, padding: Padding | undefined): Forwarded {
  const [numSteps, numRows] = outputs.shape;
  const all = padding ?? new Padding(new Int32Array(numRows).fill(numSteps), numSteps);
  return {
    outputs: asSequence(all.last(outputs), numRows),
    backward: (gradient) => all.atLast(reshape(gradient, [numRows, gradient.shape[2]])),
  };
}
