import { reshape } from "@tensorflow/tfjs-core";

import type { ParameterLayout } from "../../layout/index.js";
import type { EncoderDecoderSpec } from "../../spec/index.js";
import { SoftmaxHead } from "../layers/index.js";
import { ModelCore } from "../model-core.js";
import { asOneStep, Progress } from "../pass/index.js";
import type {
  OnGradient,
  Pass,
  PassObserver,
  ProgressOptions,
  SetParametersOptions,
  WantedNodes,
} from "../pass/index.js";
import type { LeafOutcome } from "../leaf-outcome.js";
import type { Hypothesis } from "./beam.js";
import { encoderDecoderRun } from "./forward.js";
import { checkPairBatch, forcedTargets } from "./pair-batch.js";
import type { PairBatch, TokenSequences } from "./pair-batch.js";
import { tableOf } from "./token-side.js";
import { translateSource } from "./translate.js";
import type { TranslateOptions } from "./translate.js";

export interface PairGradientsOptions extends ProgressOptions {
  readonly batch: PairBatch;
  /** With `step`, names the random masks. */
  readonly seed: number;
  readonly step: number;
  /**
   * Given each parameter tensor's gradient of each leaf as soon as backward has it: head, attention,
   * decoder, encoder.
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

export interface PairEvaluateOptions extends ProgressOptions {
  readonly batch: PairBatch;
}

/**
 * An encoder reads the source, a decoder that starts from its final state writes the target (Sutskever et
 * al., 2014), with or without attention. Trained by teacher forcing: the decoder reads start + target and
 * is to give target + end; each of the latter counts its row's weight times its position's, 1 without. What is said of a `LanguageModel`'s tensors, bits
 * and errors holds here too; no state is carried.
 */
export interface EncoderDecoder {
  readonly spec: EncoderDecoderSpec;
  readonly layout: ParameterLayout;
  /** @throws LstmError `invalidParameters` when the length is not the layout's. */
  setParameters(flat: Float32Array, options?: SetParametersOptions): void;
  /** @throws LstmError `invalidStatistics` when the length is not that of `statisticsLayout(spec)`. */
  setRunningStatistics(flat: Float64Array): void;
  /**
   * Gradients of the SUM of the losses over each leaf. The losses are added in the order (row, time).
   *
   * @throws LstmError `cancelled`, `invalidBatch`, `invalidParameters` (none set yet)
   */
  computeGradients(options: PairGradientsOptions): readonly LeafOutcome[];
  /**
   * Losses without dropout and the like, with the running statistics. A row's loss is the negative
   * logarithm of its target's probability, times its weight.
   *
   * @throws LstmError `cancelled`, `invalidBatch`, `invalidParameters` (none set yet)
   */
  evaluate(options: PairEvaluateOptions): readonly LeafOutcome[];
  /**
   * Likely targets of each source, by beam search.
   *
   * @returns of each row up to `beamSize` hypotheses, best first.
   * @throws LstmError `invalidBatch`, `invalidSampling` (an option out of range, logits that are not
   *   finite), `invalidParameters` (none set yet)
   */
  translate(source: TokenSequences, options: TranslateOptions): readonly (readonly Hypothesis[])[];
  /** Frees the parameters; new ones can be set afterwards. */
  dispose(): void;
}

/** An encoder–decoder without parameters; give it some with `setParameters`. */
export function createEncoderDecoder(spec: EncoderDecoderSpec): EncoderDecoder {
  const core = new ModelCore(spec);

  function head(pass: Pass): SoftmaxHead {
    return new SoftmaxHead({
      pass,
      kernelName: "head.kernel",
      biasName: "head.bias",
      tiedTableName: spec.tiedEmbedding ? tableOf("decoder.") : undefined,
    });
  }

  return {
    spec,
    ...core.handle,

    computeGradients(options) {
      const { batch } = options;
      checkPairBatch(spec, batch);
      return core.train(options, (pass) => {
        const targets = forcedTargets(spec, batch);
        const run = encoderDecoderRun(pass, spec, batch.source, targets);
        const { losses, hiddenGradient, tableGradients } = head(run.positions).gradients(
          asOneStep(run.outputs),
          targets,
          spec.labelSmoothing,
        );
        pass.progress.beginPhase("backward");
        run.backward(reshape(hiddenGradient, run.outputs.shape), tableGradients);
        return { losses };
      });
    },

    evaluate(options) {
      const { batch } = options;
      checkPairBatch(spec, batch);
      return core.evaluate(options, (pass) => {
        const targets = forcedTargets(spec, batch);
        const run = encoderDecoderRun(pass, spec, batch.source, targets);
        const hidden = asOneStep(run.outputs);
        return { losses: head(run.positions).losses(hidden, targets) };
      });
    },

    translate(source, options) {
      const numRows = source.lengths.length;
      const leaves = [{ leaf: 0, firstRow: 0, numRows }];
      const pass = core.pass({ numRows, leaves, progress: new Progress({}) });
      return translateSource({ pass, spec, head }, source, options);
    },
  };
}
