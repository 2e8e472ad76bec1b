import type { LanguageModel, SequenceModel } from "@ostinato/lstm/model";

import { CliError } from "../errors/index.js";

export function isLanguageModel(model: LanguageModel | SequenceModel): model is LanguageModel {
  return model.spec.kind === "languageModel";
}

/** @throws CliError 'unusableModel' where `command` needs a model of text */
export function requireLanguageModel(
  model: LanguageModel | SequenceModel,
  command: string,
): LanguageModel {
  if (isLanguageModel(model)) return model;
  throw new CliError(
    "unusableModel",
    `${command} needs a languageModel; this run has a ${model.spec.kind}: give its inputs to ostinato predict`,
  );
}

/** @throws CliError 'unusableModel' where `command` needs a model of sequences */
export function requireSequenceModel(
  model: LanguageModel | SequenceModel,
  command: string,
): SequenceModel {
  if (!isLanguageModel(model)) return model;
  throw new CliError(
    "unusableModel",
    `${command} needs a sequenceModel; this run has a ${model.spec.kind}: ostinato generate lets it write`,
  );
}
