import type { RunConfig, SplitLayout } from "@ostinato/run";

import { trainerSettings } from "./subject.js";
import type { Subject } from "./subject.js";

/** The training part of samples that stay whole, as sequences and pairs do. */
export interface WholeSamples<Batch> {
  readonly config: RunConfig;
  readonly model: Subject<{ readonly batch: Batch }>["model"];
  readonly train: Pick<SplitLayout<Batch>, "batch" | "microShards" | "stepsPerEpoch">;
  /** The batch with a loss at each last step alone; undefined for a loss of samples as a whole. */
  readonly lastStep: ((batch: Batch) => Batch) | undefined;
}

/** A model and its samples, laid out as in a run. Those of the first step are measured. */
export function wholeSamplesSubject<Batch>({
  config,
  model,
  train,
  lastStep,
}: WholeSamples<Batch>): Subject<{ readonly batch: Batch }> {
  const leaves = Array.from({ length: train.microShards }, (_, leaf) => leaf);
  const epochAt = (step: number): number => Math.floor(step / train.stepsPerEpoch);
  const batchOf = (step: number): Batch =>
    train.batch({ epoch: epochAt(step), epochStep: step % train.stepsPerEpoch }, leaves);
  const measured = batchOf(0);
  return {
    model,
    settings: trainerSettings(config),
    measured: { batch: measured },
    lastStep: lastStep && { batch: lastStep(measured) },
    epochAt,
    feed() {
      let step = 0;
      return {
        next() {
          const epoch = epochAt(step);
          return { input: { batch: batchOf(step++) }, epoch };
        },
        took: () => undefined,
      };
    },
  };
}
