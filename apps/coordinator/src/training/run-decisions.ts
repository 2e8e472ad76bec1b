/** What the evaluations have decided so far, and what follows from it for the steps after them. */

import { averagingStart, learningRateAt } from "@ostinato/lstm";
import type { Decided, Decisions, DecisionState, Evaluation } from "@ostinato/lstm";
import { decisionsOf } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";
import type { TrainingPlan } from "./plan.js";

export interface RunDecisionsOptions {
  readonly config: RunConfig;
  readonly plan: TrainingPlan;
  /** Hears what changes for the following steps. */
  readonly notify: (text: string) => void;
}

export class RunDecisions {
  readonly #options: RunDecisionsOptions;
  readonly #decisions: Decisions;
  #state: DecisionState;

  /** @param state of a checkpoint; undefined for a run that begins */
  constructor(options: RunDecisionsOptions, state: DecisionState | undefined) {
    this.#options = options;
    this.#decisions = decisionsOf(options.config);
    this.#state = state ?? this.#decisions.initialState();
  }

  /** Part of every checkpoint. */
  get state(): DecisionState {
    return this.#state;
  }

  /** @param step 1-based, the next one to be committed */
  learningRate(step: number): number {
    const { schedule, learningRate } = this.#options.config.optimizer;
    const { epoch } = this.#options.plan.at(step);
    const scheduled = learningRateAt(schedule, { step: step - 1, epoch, learningRate });
    return scheduled * this.#state.learningRateFactor;
  }

  /** The first update that is averaged by the evaluations so far; undefined if they started nothing. */
  get averagingStartUpdate(): number | undefined {
    return averagingStart(this.#state);
  }

  /** What an evaluation of the validation part would decide; nothing is changed yet. */
  after(evaluation: Evaluation): Decided {
    return this.#decisions.afterEvaluation(this.#state, evaluation);
  }

  /** Later steps go by this, now that its evaluation is committed. */
  follow({ state }: Decided): void {
    const before = this.#state;
    this.#state = state;
    const { evaluatedStep, learningRateFactor, stop, earlyStopping, averaging } = state;
    if (averaging?.startStep === evaluatedStep && before.averaging?.startStep === null) {
      this.#options.notify(
        "the validation loss is worse than it was some evaluations ago: the parameters are averaged " +
          `from step ${evaluatedStep + 1} on`,
      );
    }
    if (learningRateFactor < before.learningRateFactor) {
      this.#options.notify(
        `the validation loss does not fall any more: from step ${evaluatedStep + 1} on the ` +
          `learning rate is multiplied with ${learningRateFactor}`,
      );
    }
    if (stop !== null) {
      this.#options.notify(
        `training ends early at step ${stop.step}: ${earlyStopping?.numBad ?? 0} evaluations in a ` +
          "row were no better than the best before them",
      );
    }
  }
}
