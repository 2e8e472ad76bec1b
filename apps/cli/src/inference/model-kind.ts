import type { Vocabulary } from "@ostinato/data";
import type { LanguageModel, SequenceModel } from "@ostinato/lstm/model";

import { CliError } from "../errors/index.js";
import type { OpenModel } from "./open-model.js";

export function isLanguageModel(model: LanguageModel | SequenceModel): model is LanguageModel {
  return model.spec.kind === "languageModel";
}

/** A model of text, and the symbols that it writes. */
export interface Writer {
  readonly model: LanguageModel;
  readonly vocabulary: Vocabulary;
}

/** @throws CliError 'unusableModel' where `command` needs a model of text */
export function requireWriter(
  { model, vocabulary }: Pick<OpenModel, "model" | "vocabulary">,
  command: string,
): Writer {
  if (isLanguageModel(model) && vocabulary !== null) return { model, vocabulary };
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
