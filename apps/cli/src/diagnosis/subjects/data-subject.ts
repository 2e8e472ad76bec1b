import type { Dataset } from "@ostinato/data";
import type { EncoderDecoder, LanguageModel, SequenceModel } from "@ostinato/lstm/model";
import type { RunConfig } from "@ostinato/run";

import { pairSubject } from "./pair-subject.js";
import { sequenceSubject } from "./sequence-subject.js";
import { diagnoseSubject } from "./subject.js";
import type { DiagnosedSteps, SubjectDiagnosis } from "./subject.js";
import { textSubject } from "./text-subject.js";

type AnyModel = LanguageModel | SequenceModel | EncoderDecoder;

/**
 * Diagnoses a model on the data of its run. Disposes of it.
 *
 * @throws as `diagnoseSubject`; DataError for data that cannot be laid out
 */
export function diagnoseOnData(
  config: RunConfig,
  dataset: Dataset,
  model: AnyModel,
  steps: DiagnosedSteps,
): SubjectDiagnosis {
  if (dataset.kind === "text" && isLanguageModel(model)) {
    return diagnoseSubject(textSubject(config, dataset, model), steps);
  }
  if (dataset.kind === "sequences" && isSequenceModel(model)) {
    return diagnoseSubject(sequenceSubject(config, dataset, model), steps);
  }
  if (dataset.kind === "pairs" && isEncoderDecoder(model)) {
    return diagnoseSubject(pairSubject(config, dataset, model), steps);
  }
  throw new RangeError(`a ${model.spec.kind} is not trained on ${dataset.kind}`);
}

function isLanguageModel(model: AnyModel): model is LanguageModel {
  return model.spec.kind === "languageModel";
}

function isSequenceModel(model: AnyModel): model is SequenceModel {
  return model.spec.kind === "sequenceModel";
}

function isEncoderDecoder(model: AnyModel): model is EncoderDecoder {
  return model.spec.kind === "encoderDecoder";
}
