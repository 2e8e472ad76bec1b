import type { PairVocabularies, Vocabulary } from "@ostinato/data";
import type { EncoderDecoder, LanguageModel, SequenceModel } from "@ostinato/lstm/model";

import { CliError } from "../errors/index.js";
import type { OpenModel } from "./open-model.js";

/** A model that a run can have. */
export type AnyModel = LanguageModel | SequenceModel | EncoderDecoder;

export function isLanguageModel(model: AnyModel): model is LanguageModel {
  return model.spec.kind === "languageModel";
}

export function isSequenceModel(model: AnyModel): model is SequenceModel {
  return model.spec.kind === "sequenceModel";
}

export function isEncoderDecoder(model: AnyModel): model is EncoderDecoder {
  return model.spec.kind === "encoderDecoder";
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
  throw wrongKind(model, command, "languageModel");
}

/** @throws CliError 'unusableModel' where `command` needs a model of sequences */
export function requireSequenceModel(model: AnyModel, command: string): SequenceModel {
  if (isSequenceModel(model)) return model;
  throw wrongKind(model, command, "sequenceModel");
}

/** A model of pairs, and the tokens of both sides. */
export interface Translator {
  readonly model: EncoderDecoder;
  readonly vocabularies: PairVocabularies;
}

/** @throws CliError 'unusableModel' where `command` needs a model of pairs */
export function requireTranslator(
  { model, pairVocabularies }: Pick<OpenModel, "model" | "pairVocabularies">,
  command: string,
): Translator {
  if (isEncoderDecoder(model) && pairVocabularies !== null) {
    return { model, vocabularies: pairVocabularies };
  }
  throw wrongKind(model, command, "encoderDecoder");
}

type ModelKind = AnyModel["spec"]["kind"];

const COMMANDS: Readonly<Record<ModelKind, string>> = {
  languageModel: "ostinato generate lets it write",
  sequenceModel: "give its inputs to ostinato predict",
  encoderDecoder: "give its sources to ostinato translate",
};

const WITH_ARTICLE: Readonly<Record<ModelKind, string>> = {
  languageModel: "a languageModel",
  sequenceModel: "a sequenceModel",
  encoderDecoder: "an encoderDecoder",
};

function wrongKind({ spec: { kind } }: AnyModel, command: string, needed: ModelKind): CliError {
  return new CliError(
    "unusableModel",
    `${command} needs ${WITH_ARTICLE[needed]}; this run has ${WITH_ARTICLE[kind]}: ${COMMANDS[kind]}`,
  );
}
