import { recycle } from "@ostinato/kernels/tensor";

import { averagingStart, createDecisions } from "../../decisions/index.js";
import type { Decided } from "../../decisions/index.js";
import { initialParameters } from "../../initialization/index.js";
import { LstmError } from "../../lstm-error.js";
import { averagingTriggerOf, evaluatedParameters } from "../../optimizers/index.js";
import { learningRateAt } from "../../schedules/index.js";
import {
  initialStatistics,
  statisticsAfterStep,
  statisticsLayout,
} from "../../statistics/index.js";
import { createParameterUpdate } from "../../update/index.js";
import type { LeafOutcome } from "../leaf-outcome.js";
import { compileTrainerSettings } from "./trainer-settings.js";
import type { TrainerSettingsInput } from "./trainer-settings.js";
import { checkedState, copyOf, requireParameters } from "./trainer-state.js";
import type { TrainerState } from "./trainer-state.js";
import type { Trainable } from "./trainable.js";

export interface TrainerOptions<Input> extends TrainerSettingsInput {
  readonly model: Trainable<Input>;
  /** A whole number from 0 to 2³² − 1: initial parameters, random masks, gradient noise. */
  readonly seed: number;
  /** Where to start from instead of `initialParameters(model.spec, seed)`; copied. */
  readonly parameters?: Float32Array;
}

export interface StepResult {
  /** 1 for the first. */
  readonly step: number;
  /**
   * Mean over the batch, with what training adds to it, such as label smoothing; NaN where no target of it
   * counts. Such a step has a gradient of 0.
   */
  readonly loss: number;
  /** Global norm of the averaged gradient, before clipping and noise. */
  readonly gradientNorm: number;
  readonly clipped: boolean;
  readonly learningRate: number;
  readonly outcomes: readonly LeafOutcome[];
}

/**
 * Trains a model in this process, with the arithmetic of a run: see `createTrainer`. Between its calls the
 * model has the trainer's `parameters`.
 */
export interface Trainer<Input> {
  /** Steps made. */
  readonly step: number;
  /**
   * The newest version, in the order of the model's layout, or its average for an optimizer that keeps
   * one; not to be written to.
   */
  readonly parameters: Float32Array;
  /**
   * One update of the parameters.
   *
   * @param at `epoch`: epochs done before; schedules that count in them need it.
   * @throws LstmError `invalidSchedule` where the schedule needs an epoch and has none; `notFinite` for a
   *   gradient or an update that is not: the parameters are as they were, but after an update the
   *   optimizer has moved on: go back to an earlier state.
   */
  trainStep(input: Input, at?: { readonly epoch?: number }): StepResult;
  /** Mean loss, without dropout and the like, and its sums; NaN where no target counts. */
  evaluate(input: Input): { readonly loss: number; readonly outcomes: readonly LeafOutcome[] };
  /**
   * Takes in the loss of an evaluation: may lower the learning rate on a plateau, or say that training
   * should stop.
   */
  decide(validationLoss: number): Pick<Decided, "isBest" | "learningRateFactor" | "shouldStop">;
  /** A copy, for a checkpoint. */
  state(): TrainerState;
  /**
   * Goes on from a state; with the same inputs to the same bits. Copied.
   *
   * @throws LstmError `invalidParameters`, `invalidStatistics` or `invalidOptimizerState` for a state of
   *   another model or optimizer, and for a parameter that is not finite; `invalidTrainerState` for a step
   *   or decisions that no trainer has; then nothing has changed
   */
  restore(state: TrainerState): void;
}

/**
 * A trainer in this process: forward, backward, gradient tree, clipping, optimizer and schedule are
 * those of a run, so that a model trained here has the bits of one trained by a cluster on the same leaves.
 *
 * @example
 * const trainer = createTrainer({ model, seed: 1, optimizer: { kind: "adam" }, learningRate: 1e-3 });
 * for (const batch of batches) console.log(trainer.trainStep({ batch }).loss);
 *
 * @throws LstmError naming the key, its value and what is allowed; `invalidParameters` for `parameters` of
 *   another number, or naming the first that is not finite
 */
export function createTrainer<Input>(options: TrainerOptions<Input>): Trainer<Input> {
  const { model, seed, parameters, ...others } = options;
  const { spec, layout } = model;
  const settings = compileTrainerSettings({ ...others, seed });
  if (parameters !== undefined) requireParameters(parameters, layout);
  const { schedule, learningRate: peak } = settings;
  const update = createParameterUpdate({ ...settings, layout });
  const decisions = createDecisions({
    plateau: schedule.kind === "plateau" ? schedule : null,
    earlyStopping: settings.earlyStopping,
    averaging: averagingTriggerOf(settings.optimizer),
  });
  const statistics = statisticsLayout(spec);
  const offsets = new Map(layout.tensors.map(({ name, offset }) => [name, offset]));
  let current: TrainerState = {
    step: 0,
    parameters: parameters?.slice() ?? initialParameters(spec, seed),
    optimizer: update.initialState(),
    statistics: initialStatistics(statistics),
    decisions: decisions.initialState(),
  };
  const gradient = new Float32Array(layout.size);
  /** An older version that nobody was shown: memory for the next one. */
  let spare: Float32Array | undefined;
  /** Whether somebody may keep the newest version. */
  let isShown = false;
  load(current.parameters);

  function load(parameters: Float32Array): void {
    // In place: a version is written to only when the model has a later one, an average in a step, when it has
    // the parameters.
    if (model.hasSetFrom?.(parameters) !== true) model.setParameters(parameters, { inPlace: true });
    model.setRunningStatistics(current.statistics);
  }

  /** What is evaluated: the average, for an optimizer that keeps one. */
  function evaluated(): Float32Array {
    return evaluatedParameters(current.parameters, current.optimizer);
  }

  function makeStep(input: Input, at: { readonly epoch?: number }): StepResult {
    const step = current.step + 1;
    const learningRate =
      learningRateAt(schedule, { ...at, step: step - 1, learningRate: peak }) *
      current.decisions.learningRateFactor;
    load(current.parameters);
    const taken = new Map<string, Float32Array>();
    const onGradient = (name: string, [values]: readonly Float32Array[]): void => {
      gradient.set(values!, offsets.get(name));
      taken.set(name, values!);
    };
    const outcomes = model.computeGradients({ ...input, seed, step, nodes: "root", onGradient });
    for (const { name, offset, size } of layout.tensors) {
      if (!taken.has(name)) gradient.fill(0, offset, offset + size);
    }
    recycle(new Set(taken.values()));
    const { lossSum, lossWeight } = totalsOf(outcomes);
    const out = spare ?? new Float32Array(layout.size);
    spare = undefined;
    const result = update.apply({
      parameters: current.parameters,
      gradient,
      lossWeight,
      learningRate,
      step,
      averagingStartStep: averagingStart(current.decisions),
      state: current.optimizer,
      out,
    });
    const { gradientNorm, clipped, firstNonFinite: bad } = result;
    if (!result.applied) throw notFinite(`the gradient norm of step ${step} is ${gradientNorm}`);
    if (bad >= 0) throw notFinite(`step ${step} makes parameter ${bad} ${out[bad]}`);
    const moments = outcomes.map((outcome) => outcome.moments);
    if (!isShown) spare = current.parameters;
    isShown = false;
    current = {
      ...current,
      step,
      parameters: out,
      statistics: statisticsAfterStep(statistics, current.statistics, moments),
    };
    return { step, loss: lossSum / lossWeight, gradientNorm, clipped, learningRate, outcomes };
  }

  return {
    get step() {
      return current.step;
    },
    get parameters() {
      isShown = true;
      return evaluated();
    },

    trainStep(input, at = {}) {
      try {
        return makeStep(input, at);
      } finally {
        load(evaluated());
      }
    },

    evaluate(input) {
      load(evaluated());
      const outcomes = model.evaluate(input);
      const { lossSum, lossWeight } = totalsOf(outcomes);
      return { loss: lossSum / lossWeight, outcomes };
    },

    decide(loss) {
      const decided = decisions.afterEvaluation(current.decisions, { step: current.step, loss });
      current = { ...current, decisions: decided.state };
      return decided;
    },

    state: () => copyOf(current),

    restore(state) {
      current = checkedState(state, { layout, statistics, update });
      load(evaluated());
    },
  };
}

function totalsOf(outcomes: readonly LeafOutcome[]): Pick<LeafOutcome, "lossSum" | "lossWeight"> {
  let [lossSum, lossWeight] = [0, 0];
  for (const outcome of outcomes) {
    lossSum += outcome.lossSum;
    lossWeight += outcome.lossWeight;
  }
  return { lossSum, lossWeight };
}

const notFinite = (what: string): LstmError => new LstmError("notFinite", what);
