import { MICRO_SHARDS, trainingCases } from "../cases/index.js";
import type { Training, TrainingStep } from "../cases/index.js";

/** One training, and how long its memory is watched. */
export interface SoakCase {
  readonly name: string;
  readonly measured: TrainingStep;
  readonly numWorkers: number;
  readonly numSteps: number;
  /** Until then code is compiled, and pools and caches fill. */
  readonly warmUpSteps: number;
  /** As `--set` takes them. */
  readonly settings: readonly string[];
}

const SMALL: Training = {
  model: {
    ...{ kind: "languageModel", vocabularySize: 100 },
    ...{ embeddingSize: 32, hiddenSize: 32, numLayers: 1 },
  },
  ...{ numSteps: 8, batchSize: 8, optimizer: "adam", learningRate: 1e-3, maxNorm: 1 },
};

const stepOf = (training: Training): TrainingStep => ({
  ...{ kind: "trainingStep", microShards: MICRO_SHARDS },
  ...training,
});

/** Many steps of a small model, for what grows; some of a large one, for what is large. */
export function soakCases(isQuick: boolean): readonly SoakCase[] {
  const [large] = trainingCases(isQuick, ["zarembaSmall"]);
  if (large === undefined) return [];
  const small = (numSteps: number): SoakCase => ({
    name: `char 32, ${numSteps} steps`,
    measured: stepOf(SMALL),
    ...{ numWorkers: 2, numSteps, warmUpSteps: numSteps / 5 },
    settings: ["evaluation.everySteps=500"],
  });
  if (isQuick) return [small(200)];
  // A checkpoint every few steps: each of them is held, encoded and written while training goes on.
  const few = { numSteps: 60, warmUpSteps: 12, settings: ["checkpoints.everySteps=6"] };
  const { name, measured } = large;
  return [
    small(10_000),
    ...[2, 3].map((numWorkers) => ({ name, measured: stepOf(measured), numWorkers, ...few })),
    {
      name: `${name}, Adam`,
      measured: stepOf({ ...measured, optimizer: "adam", learningRate: 1e-3 }),
      ...{ numWorkers: 2, ...few },
    },
  ];
}
