import type { SequenceDataset } from "@ostinato/data";
import { sequenceLastStep } from "@ostinato/lstm/model";
import type { SequenceBatch, SequenceModel } from "@ostinato/lstm/model";
import { layOutSequences, layoutSettings } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";

import { trainerSettings } from "./subject.js";
import type { Subject } from "./subject.js";

/**
 * A sequence model and the training part of its sequences, laid out as in a run. The sequences of the first
 * step are measured; of CTC, whose loss is of sequences as a whole, without distances in time.
 *
 * @throws DataError for a layout that can't be
 */
export function sequenceSubject(
  config: RunConfig,
  dataset: SequenceDataset,
  model: SequenceModel,
): Subject<{ readonly batch: SequenceBatch }> {
  const { spec } = model;
  const { train } = layOutSequences(dataset, spec, layoutSettings(config));
  const leaves = Array.from({ length: train.microShards }, (_, leaf) => leaf);
  const epochAt = (step: number): number => Math.floor(step / train.stepsPerEpoch);
  const batchOf = (step: number): SequenceBatch =>
    train.batch({ epoch: epochAt(step), epochStep: step % train.stepsPerEpoch }, leaves);
  const measured = batchOf(0);
  const isWhole = spec.loss.kind === "ctc";
  return {
    model,
    settings: trainerSettings(config),
    measured: { batch: measured },
    lastStep: isWhole ? undefined : { batch: sequenceLastStep(spec, measured) },
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
