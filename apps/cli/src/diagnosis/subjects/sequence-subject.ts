import type { SequenceDataset } from "@ostinato/data";
import { sequenceLastStep } from "@ostinato/lstm/model";
import type { SequenceBatch, SequenceModel } from "@ostinato/lstm/model";
import { layOutSequences, layoutSettings } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";

import type { Subject } from "./subject.js";
import { wholeSamplesSubject } from "./whole-samples-subject.js";

/**
 * A sequence model and the training part of its sequences; with CTC, whose loss is of sequences as a whole,
 * without distances in time.
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
  const isWhole = spec.loss.kind === "ctc";
  const lastStep = isWhole
    ? undefined
    : (batch: SequenceBatch): SequenceBatch => sequenceLastStep(spec, batch);
  return wholeSamplesSubject<SequenceBatch>({ config, model, train, lastStep });
}
