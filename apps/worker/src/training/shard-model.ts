/** What the shard computer asks of a model, of whichever kind. */

import type { ParameterLayout } from "@ostinato/lstm";
import type { LanguageModel, LeafOutcome } from "@ostinato/lstm/model";
import type { RunModelSpec } from "@ostinato/run";

import type { ShardSource } from "../shard/index.js";

type GradientsOptions = Parameters<LanguageModel["computeGradients"]>[0];
type EvaluateOptions = Parameters<LanguageModel["evaluate"]>[0];

/** A language model as it is; the other kinds read no states and give empty ones. */
export interface ShardModel<Batch> {
  readonly spec: RunModelSpec;
  readonly layout: ParameterLayout;
  setParameters: LanguageModel["setParameters"];
  setRunningStatistics(flat: Float64Array): void;
  computeGradients(
    options: Omit<GradientsOptions, "batch"> & { readonly batch: Batch },
  ): readonly LeafOutcome[];
  evaluate(
    options: Omit<EvaluateOptions, "batch"> & { readonly batch: Batch },
  ): readonly LeafOutcome[];
  dispose(): void;
}

/** A model, and the batches that it takes. */
export interface ShardModules<Batch> {
  readonly model: ShardModel<Batch>;
  readonly source: ShardSource<Batch>;
  /** Values of the state that a row carries from step to step. */
  readonly stateValuesPerRow: number;
}
