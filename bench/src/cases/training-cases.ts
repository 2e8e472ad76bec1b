import type { Training } from "./measured-case.js";
import type { NamedCase } from "./recurrent-cases.js";

/** M of every training: what a coordinator would have with two workers. */
export const MICRO_SHARDS = 4;

const ADAM = { optimizer: "adam", learningRate: 1e-3, maxNorm: 1 } as const;
const SGD = { optimizer: "sgd", learningRate: 1, maxNorm: 5 } as const;

export type TrainingName =
  "zarembaSmall" | "zarembaMedium" | "char128" | "char512x2" | "forecaster";

/** Embeddings are as wide as the layers (Zaremba et al., 2014, table 1: small and medium, without dropout). */
const languageModel = (vocabularySize: number, hiddenSize: number, numLayers: number) =>
  ({
    kind: "languageModel",
    embeddingSize: hiddenSize,
    ...{ vocabularySize, hiddenSize, numLayers },
  }) as const;

const TRAININGS: Readonly<Record<TrainingName, NamedCase<Training>>> = {
  zarembaSmall: {
    name: "Zaremba small",
    measured: { model: languageModel(10_000, 200, 2), numSteps: 35, batchSize: 20, ...SGD },
  },
  zarembaMedium: {
    name: "Zaremba medium",
    measured: { model: languageModel(10_000, 650, 2), numSteps: 35, batchSize: 20, ...SGD },
  },
  char128: {
    name: "char 128",
    measured: { model: languageModel(100, 128, 1), numSteps: 50, batchSize: 50, ...ADAM },
  },
  char512x2: {
    name: "char 512 ×2",
    measured: { model: languageModel(100, 512, 2), numSteps: 100, batchSize: 64, ...ADAM },
  },
  forecaster: {
    name: "forecaster 64 ×2",
    measured: {
      model: { kind: "forecaster", inputSize: 8, hiddenSize: 64, numLayers: 2 },
      ...{ numSteps: 168, batchSize: 32, ...ADAM },
    },
  },
};

const QUICK: readonly NamedCase<Training>[] = [
  {
    name: "tiny text",
    measured: { model: languageModel(20, 8, 1), numSteps: 4, batchSize: 4, ...ADAM },
  },
  {
    name: "tiny forecaster",
    measured: {
      model: { kind: "forecaster", inputSize: 2, hiddenSize: 8, numLayers: 2 },
      ...{ numSteps: 4, batchSize: 4, ...ADAM },
    },
  },
];

/** Trainings by name; with `isQuick` small ones instead. */
export function trainingCases(
  isQuick: boolean,
  names: readonly TrainingName[] = Object.keys(TRAININGS) as TrainingName[],
): readonly NamedCase<Training>[] {
  return isQuick ? QUICK.slice(0, names.length) : names.map((name) => TRAININGS[name]);
}
