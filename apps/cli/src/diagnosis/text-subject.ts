import { createTextDataset, createTextLayout, readTextFiles } from "@ostinato/data";
import { compileLanguageModelSpec, stateShape } from "@ostinato/lstm";
import { createLanguageModel, tokensLastStep } from "@ostinato/lstm/model";
import type { TokenBatch } from "@ostinato/lstm/model";
import { RunError } from "@ostinato/run";
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
 * @throws DataError for files that are missing, empty, not UTF-8 or too short
 * @throws RunError `outOfRange` for a config whose data is no text
 */
export async function textSubject(config: RunConfig): Promise<Subject<TextInput>> {
  const { sequenceLength } = config.training;
  if (config.data.kind !== "text" || sequenceLength === null) {
    throw new RunError(
      "outOfRange",
      `data.kind: ${config.data.kind} cannot be diagnosed; give the config of a text or of a task ` +
        "(data.kind: addingProblem or copyTask)",
    );
  }
  const { text } = await readTextFiles(config.data);
  const { splits, vocabulary } = createTextDataset(text, config.data);
  const { batchSize, microShards } = config.training;
  const layout = createTextLayout({
    numTokens: splits.train.length,
    batchSize,
    sequenceLength,
    microShards,
    textName: "the training part",
  });
  const leaves = Array.from({ length: microShards }, (_, leaf) => leaf);
  const batchAt = (segment: number): TokenBatch => layout.batch(splits.train, segment, leaves);
  const spec = compileLanguageModelSpec({ ...config.model, vocabularySize: vocabulary.size });
  const { valuesPerRow } = stateShape(spec);
  const zeros = leaves.map((leaf) => new Float32Array(valuesPerRow * layout.rowsOf(leaf).numRows));
  const measured = batchAt(0);
  return {
    model: createLanguageModel(spec),
    settings: trainerSettings(config),
    measured: { batch: measured, states: zeros },
    lastStep: { batch: tokensLastStep(measured), states: zeros },
    feed() {
      let step = 0;
      let states: readonly Float32Array[] = zeros;
      return {
        next() {
          const segment = step % layout.stepsPerEpoch;
          const epoch = Math.floor(step++ / layout.stepsPerEpoch);
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
