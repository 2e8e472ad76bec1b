import type { TextDataset } from "@ostinato/data";
import { stateShape } from "@ostinato/lstm";
import { tokensLastStep } from "@ostinato/lstm/model";
import type { LanguageModel, TokenBatch } from "@ostinato/lstm/model";
import { layOutText, layoutSettings } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";

import { trainerSettings } from "./subject.js";
import type { Subject } from "./subject.js";

interface TextInput {
  readonly batch: TokenBatch;
  readonly states: readonly Float32Array[];
}

/**
 * A language model and the training part of its text, laid out as in a run. The first segment is
 * measured, from states of zeros.
 *
 * @throws DataError for a text that is too short
 */
export function textSubject(
  config: RunConfig,
  dataset: TextDataset,
  model: LanguageModel,
): Subject<TextInput> {
  const { train } = layOutText(dataset, layoutSettings(config));
  const leaves = Array.from({ length: train.microShards }, (_, leaf) => leaf);
  const batchAt = (epochStep: number): TokenBatch => train.batch({ epoch: 0, epochStep }, leaves);
  const { valuesPerRow } = stateShape(model.spec);
  const zeros = leaves.map((leaf) => new Float32Array(valuesPerRow * train.stateRowsOf(leaf)));
  const measured = batchAt(0);
  const epochAt = (step: number): number => Math.floor(step / train.stepsPerEpoch);
  return {
    model,
    settings: trainerSettings(config),
    measured: { batch: measured, states: zeros },
    lastStep: { batch: tokensLastStep(measured), states: zeros },
    epochAt,
    feed() {
      let step = 0;
      let states: readonly Float32Array[] = zeros;
      return {
        next() {
          const segment = step % train.stepsPerEpoch;
          const epoch = epochAt(step++);
          if (segment === 0) states = zeros;
          return { input: { batch: batchAt(segment), states }, epoch };
        },
        took: (outcomes) => {
          states = outcomes.map(({ state }) => state);
        },
      };
    },
  };
}
