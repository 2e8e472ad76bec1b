import type { PairDataset } from "@ostinato/data";
import { pairsLastStep } from "@ostinato/lstm/model";
import type { EncoderDecoder, PairBatch } from "@ostinato/lstm/model";
import { layOutPairs, layoutSettings } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";

import type { Subject } from "./subject.js";
import { wholeSamplesSubject } from "./whole-samples-subject.js";

/**
 * An encoder–decoder and the training part of its pairs. Distances in time are those of a loss at each
 * target's end.
 *
 * @throws DataError for a layout that can't be
 */
export function pairSubject(
  config: RunConfig,
  dataset: PairDataset,
  model: EncoderDecoder,
): Subject<{ readonly batch: PairBatch }> {
  const { train } = layOutPairs(dataset, layoutSettings(config));
  return wholeSamplesSubject<PairBatch>({ config, model, train, lastStep: pairsLastStep });
}
