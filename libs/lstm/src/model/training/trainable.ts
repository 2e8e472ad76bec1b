import type { ParameterLayout } from "../../layout/index.js";
import type { ModelSpec } from "../../spec/index.js";
import type { OnGradient, PassObserver, SetParametersOptions, WantedNodes } from "../pass/index.js";
import type { LeafOutcome } from "../leaf-outcome.js";

/** What a step of training needs besides its batch. */
export interface StepKey {
  readonly seed: number;
  readonly step: number;
  readonly onGradient: OnGradient;
  readonly nodes?: WantedNodes | undefined;
  readonly observer?: PassObserver | undefined;
}

/**
 * A model as a trainer sees it.
 *
 * @typeParam Input what the model reads in a step: `{ batch }`, for a language model with its `states`.
 */
export interface Trainable<Input> {
  readonly spec: ModelSpec;
  readonly layout: ParameterLayout;
  setParameters(flat: Float32Array, options?: SetParametersOptions): void;
  /** Whether its parameters were set from this very array: then they need not be set anew. */
  hasSetFrom?(flat: Float32Array): boolean;
  setRunningStatistics(flat: Float64Array): void;
  computeGradients(options: Input & StepKey): readonly LeafOutcome[];
  evaluate(options: Input): readonly LeafOutcome[];
}
