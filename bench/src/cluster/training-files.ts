/** A run config and its data, random, of the sizes to measure. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { ForecasterSizes, LanguageModelSizes, TrainingStep } from "../cases/index.js";

/** Symbols without surrogates: 20 992 ideographs follow each other from here. */
const FIRST_SYMBOL = 0x4e00;
/** An epoch should not be over while steps are measured. */
const STEPS_AN_EPOCH = 100;
const FOR_EVER = 100_000;

/** @returns the path of the config, in `folder` */
export function writeTrainingFiles(folder: string, step: TrainingStep): string {
  mkdirSync(folder, { recursive: true });
  const { model, numSteps, batchSize, microShards, optimizer, learningRate, maxNorm } = step;
  const isText = model.kind === "languageModel";
  const files = isText ? textFile(folder, model, step) : sequencesFile(folder, model, step);
  const { hiddenSize, numLayers } = model;
  const config = {
    name: "bench",
    data: { kind: isText ? "text" : "sequences", files },
    model: isText
      ? { kind: "languageModel", embeddingSize: model.embeddingSize, hiddenSize, numLayers }
      : { kind: "sequenceModel", hiddenSize, numLayers, output: "everyStep" },
    training: {
      epochs: FOR_EVER,
      ...{ batchSize, microShards },
      ...(isText ? { sequenceLength: numSteps } : {}),
    },
    optimizer: { kind: optimizer, learningRate, clipping: { kind: "globalNorm", maxNorm } },
    evaluation: { everySteps: null, final: false },
  };
  const path = join(folder, "config.yaml");
  // JSON is YAML as well.
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function textFile(
  folder: string,
  { vocabularySize }: LanguageModelSizes,
  { numSteps, batchSize }: TrainingStep,
): string {
  // One id is for symbols that are not known.
  const numSymbols = vocabularySize - 1;
  const numTokens = STEPS_AN_EPOCH * numSteps * batchSize + 2 * vocabularySize;
  const symbolAt = (place: number): string => {
    // Every symbol once, so that the vocabulary has them all.
    const symbol = place < numSymbols ? place : Math.floor(Math.random() * numSymbols);
    return String.fromCodePoint(FIRST_SYMBOL + symbol);
  };
  const path = join(folder, "text.txt");
  writeFileSync(path, Array.from({ length: numTokens }, (_, place) => symbolAt(place)).join(""));
  return path;
}

function sequencesFile(
  folder: string,
  { inputSize }: ForecasterSizes,
  { numSteps, batchSize }: TrainingStep,
): string {
  const value = (): number => Math.round(2000 * Math.random() - 1000) / 1000;
  const values = (length: number): number[] => Array.from({ length }, value);
  const line = (): string =>
    JSON.stringify({
      inputs: Array.from({ length: numSteps }, () => values(inputSize)),
      targets: values(numSteps),
    });
  const path = join(folder, "sequences.jsonl");
  const numSequences = Math.max(20, (STEPS_AN_EPOCH / 4) * batchSize);
  writeFileSync(path, Array.from({ length: numSequences }, () => `${line()}\n`).join(""));
  return path;
}
