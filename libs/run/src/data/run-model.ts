import { END_ID, START_ID } from "@ostinato/data";
import type { Dataset } from "@ostinato/data";
import {
  compileLanguageModelSpec,
  compileModelSpec,
  LstmError,
  sequenceModelOfData,
} from "@ostinato/lstm";
import type { EncoderDecoderSpec, LanguageModelSpec, SequenceModelSpec } from "@ostinato/lstm";

import type { RunConfig } from "../config/index.js";
import { RunError } from "../errors/index.js";

/** A model that a run can train. */
export type RunModelSpec = LanguageModelSpec | SequenceModelSpec | EncoderDecoderSpec;

/**
 * The model of a config, with the sizes that its data has.
 *
 * @throws RunError 'outOfRange' for keys that do not fit the data; LstmError for a model that can't be
 */
export function modelOfData({ model }: Pick<RunConfig, "model">, dataset: Dataset): RunModelSpec {
  if (model.kind === "languageModel" && dataset.kind === "text") {
    return compileLanguageModelSpec({ ...model, vocabularySize: dataset.vocabulary.size });
  }
  if (model.kind === "encoderDecoder" && dataset.kind === "pairs") {
    const { source, target } = dataset.vocabularies;
    return compileModelSpec({
      ...model,
      sourceVocabularySize: source.size,
      targetVocabularySize: target.size,
      startId: START_ID,
      endId: END_ID,
    });
  }
  if (model.kind !== "sequenceModel" || dataset.kind !== "sequences") {
    throw new RangeError(`a ${model.kind} is not trained on ${dataset.kind}`);
  }
  try {
    const { inputs, targets } = dataset;
    return sequenceModelOfData(model, { inputs, numTargets: targets.size });
  } catch (error) {
    if (!(error instanceof LstmError)) throw error;
    throw new RunError("outOfRange", error.message, { cause: error });
  }
}

/**
 * As `compileModelSpec`, for models that a run can train.
 *
 * @throws LstmError `invalidSpec`
 */
export function compileRunModelSpec(raw: unknown): RunModelSpec {
  const spec = compileModelSpec(raw as { readonly kind: RunModelSpec["kind"] });
  return spec.kind === "languageModel" ? compileLanguageModelSpec(spec) : spec;
}
