/** The run's course, as a pure function of config and data: which step is where, and what follows it. */

import type { SplitLayout } from "@ostinato/run";

export interface PlanOptions {
  readonly layout: Pick<SplitLayout, "stepsPerEpoch">;
  readonly epochs: number;
  readonly maxSteps: number | null;
  readonly evaluateEverySteps: number | null;
}

export interface PlannedStep {
  /** 1-based: the parameter version after this step. */
  readonly step: number;
  /** 0-based. */
  readonly epoch: number;
  readonly epochStep: number;
}

export class TrainingPlan {
  readonly totalSteps: number;
  readonly #options: PlanOptions;

  constructor(options: PlanOptions) {
    this.#options = options;
    const all = options.epochs * options.layout.stepsPerEpoch;
    this.totalSteps = options.maxSteps === null ? all : Math.min(all, options.maxSteps);
  }

  at(step: number): PlannedStep {
    const { stepsPerEpoch } = this.#options.layout;
    return {
      step,
      epoch: Math.floor((step - 1) / stepsPerEpoch),
      epochStep: (step - 1) % stepsPerEpoch,
    };
  }

  /** Whether the validation part is evaluated after this step: at the set interval, and at the end. */
  isEvaluationDue(step: number): boolean {
    const every = this.#options.evaluateEverySteps;
    return step === this.totalSteps || (every !== null && step > 0 && step % every === 0);
  }
}
