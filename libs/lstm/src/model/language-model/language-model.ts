import { stateShape } from "../../layout/index.js";
import type { ParameterLayout } from "../../layout/index.js";
import type { LanguageModelSpec } from "../../spec/index.js";
import { joinStates, stateOfLeaf } from "./carried-state.js";
import { SoftmaxHead } from "../layers/index.js";
import { ModelCore } from "../model-core.js";
import { inTensorScope, Progress } from "../pass/index.js";
import type {
  OnGradient,
  Pass,
  PassObserver,
  ProgressOptions,
  SetParametersOptions,
  WantedNodes,
} from "../pass/index.js";
import { checkState, checkTokenBatch, checkTokens } from "./token-batch.js";
import type { LeafOutcome } from "../leaf-outcome.js";
import type { TokenBatch } from "./token-batch.js";
import { TABLE_NAME, tokenStack } from "./token-stack.js";
import type { TokenStackRun } from "./token-stack.js";

export interface ComputeGradientsOptions extends ProgressOptions {
  readonly batch: TokenBatch;
  /** The carried state of each of the batch's leaves, in their order. */
  readonly states: readonly Float32Array[];
  /** With `step`, names the dropout masks. */
  readonly seed: number;
  readonly step: number;
  /**
   * Given each parameter tensor's gradient as soon as backward has it, the last layer's first:
   * head.kernel, head.bias, the tensors of layer N, …, embedding.table. The arrays are new and the
   * receiver's to keep.
   */
  readonly onGradient: OnGradient;
  /**
   * Nodes of the gradient tree, by the places of their leaves in the batch: gradients are summed to
   * these. Each leaf by itself by default.
   */
  readonly nodes?: WantedNodes | undefined;
  /** Looks on in the recurrent layers; the gradients have the same bits with and without one. */
  readonly observer?: PassObserver | undefined;
}

export interface EvaluateOptions extends ProgressOptions {
  readonly batch: TokenBatch;
  /** The carried state of each of the batch's leaves, in their order. */
  readonly states: readonly Float32Array[];
}

/**
 * Embedding, recurrent layers, linear head, softmax cross-entropy.
 *
 * It computes on the tfjs backend that is selected while it is called; select one before the first
 * `setParameters` and stay with it. Every result of a leaf is the same, bit for bit, whichever other
 * leaves are in the batch. No method leaves a tensor behind, also when it throws; the one parameter
 * version set last, with what is computed from it once, stays on the backend until `dispose`. What a caller can get wrong is an LstmError; a
 * KernelError `invalidShape` out of a method would be a fault of this package.
 */
export interface LanguageModel {
  readonly spec: LanguageModelSpec;
  readonly layout: ParameterLayout;
  /**
   * Replaces the parameters.
   *
   * @param flat in the layout's order; copied, unless it is to be read in place.
   * @throws LstmError `invalidParameters` when the length is not the layout's.
   */
  setParameters(flat: Float32Array, options?: SetParametersOptions): void;
  /**
   * Replaces the running statistics that evaluation normalizes by; means of 0 and variances of 1 at first.
   *
   * @param flat in the order of `statisticsLayout(spec)`; copied.
   * @throws LstmError `invalidStatistics` when the length is not the layout's.
   */
  setRunningStatistics(flat: Float64Array): void;
  /**
   * Gradients of the SUM of weight × loss over each leaf's positions.
   *
   * @throws LstmError `cancelled`, `invalidBatch`, `invalidParameters` (none set yet), and
   *   `invalidRandomKey` for a seed, step or leaf that names no dropout mask, where there is dropout.
   */
  computeGradients(options: ComputeGradientsOptions): readonly LeafOutcome[];
  /**
   * Losses without dropout and the like, with the running statistics.
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
export function createLanguageModel(spec: LanguageModelSpec): LanguageModel {
  const core = new ModelCore(spec);
  const { valuesPerRow } = stateShape(spec);

  /** All layers over all rows of a batch. */
  function forward(
    pass: Pass,
    batch: TokenInputs,
    states: readonly Float32Array[],
    countedSteps?: Int32Array,
  ): TokenStackRun {
    const { inputs: ids, numSteps, numRows, leaves } = batch;
    const initial = joinStates(spec, states, leaves, numRows);
    return tokenStack(pass, spec, { ids, numSteps, numRows }, initial, countedSteps);
  }

  function head(pass: Pass): SoftmaxHead {
    return new SoftmaxHead({
      pass,
      kernelName: "head.kernel",
      biasName: "head.bias",
      tiedTableName: spec.tiedEmbedding ? TABLE_NAME : undefined,
    });
  }

  return {
    spec,
    ...core.handle,

    computeGradients(options) {
      const { batch, states } = options;
      checkTokenBatch(batch, states, spec.vocabularySize, valuesPerRow);
      return core.train(options, (pass) => {
        const run = forward(pass, batch, states, countedSteps(batch));
        const gradients = head(pass).gradients(run.outputs, batch, spec.labelSmoothing);
        pass.progress.beginPhase("backward");
        run.backward(gradients.hiddenGradient, batch.weights, gradients.tableGradients);
        return { losses: gradients.losses, states: statesAfter(batch, run) };
      });
    },

    evaluate(options) {
      const { batch, states } = options;
      checkTokenBatch(batch, states, spec.vocabularySize, valuesPerRow);
      return core.evaluate(options, (pass) => {
        const run = forward(pass, batch, states);
        const losses = head(pass).losses(run.outputs, batch);
        return { losses, states: statesAfter(batch, run) };
      });
    },

    predictNext(tokens, state) {
      const numRows = tokens.length;
      const leaves = [{ leaf: 0, firstRow: 0, numRows }];
      const pass = core.pass({ numRows, leaves, progress: new Progress({}) });
      checkTokens("tokens", tokens, spec.vocabularySize);
      checkState("of the rows", state, numRows, valuesPerRow);
      if (numRows === 0) return { logits: new Float32Array(0), state: new Float32Array(0) };
      return inTensorScope(() => {
        const run = forward(pass, { numSteps: 1, numRows, inputs: tokens, leaves }, [state]);
        return {
          logits: head(pass).logits(run.outputs).dataSync<"float32">(),
          state: stateOfLeaf(run.final, leaves[0]!),
        };
      });
    },
  };
}

/** [B]: steps of each row up to the last that counts; what follows is filled up, as at a text's end. */
function countedSteps({ numSteps, numRows, weights }: TokenBatch): Int32Array {
  const steps = new Int32Array(numRows);
  for (let t = 0; t < numSteps; t++) {
    for (let row = 0; row < numRows; row++) {
      if (weights[t * numRows + row]! > 0) steps[row] = t + 1;
    }
  }
  return steps;
}

/** The part of a batch that the layers read. */
type TokenInputs = Pick<TokenBatch, "numSteps" | "numRows" | "inputs" | "leaves">;

/** Of each leaf, what it carries on. */
function statesAfter({ leaves }: TokenBatch, { final }: TokenStackRun): Float32Array[] {
  return leaves.map((leaf) => stateOfLeaf(final, leaf));
}
