/** How a step's cost grows with each of a model's sizes, the others as they are. */
import { MICRO_SHARDS, tokensOf } from "../cases/index.js";
import type { MeasuredCase, TrainingStep } from "../cases/index.js";
import { backendSide } from "../sides/index.js";
import type { RowCase, RowContext } from "./context.js";
import { compare } from "./context.js";

interface Sizes {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly numSteps: number;
}

const MIDDLE: Sizes = { hiddenSize: 256, vocabularySize: 1000, numSteps: 64 };
const BATCH_SIZE = 16;
const GROWN: Readonly<Record<keyof Sizes, readonly number[]>> = {
  hiddenSize: [64, 128, 256, 512, 1024],
  vocabularySize: [100, 1000, 10_000, 50_000],
  numSteps: [16, 64, 128, 256, 512],
};
const QUICK_MIDDLE: Sizes = { hiddenSize: 8, vocabularySize: 20, numSteps: 4 };
const QUICK_GROWN: typeof GROWN = {
  hiddenSize: [8, 16],
  vocabularySize: [20, 40],
  numSteps: [4, 8],
};
const NAMES: Readonly<Record<keyof Sizes, string>> = {
  hiddenSize: "hidden",
  vocabularySize: "vocabulary",
  numSteps: "T",
};

export async function growthRow(context: RowContext): Promise<void> {
  const { backends, numThreads, isQuick, rounds } = context;
  await compare<MeasuredCase>("growth", context, {
    cases: growthCases(isQuick),
    sides: backends.map((backend) => backendSide(backend, numThreads)),
    comparisons: () => ({ own: backends }),
    // Many points, each of them short.
    rounds: { rounds: Math.min(rounds.rounds, 2), seconds: rounds.seconds / 2 },
  });
}

function growthCases(isQuick: boolean): readonly RowCase<TrainingStep>[] {
  const middle = isQuick ? QUICK_MIDDLE : MIDDLE;
  const grown = isQuick ? QUICK_GROWN : GROWN;
  return (Object.keys(grown) as (keyof Sizes)[]).flatMap((size) =>
    grown[size].map((value) => growthCase(`${NAMES[size]} ${value}`, { ...middle, [size]: value })),
  );
}

/** One LSTM layer, its embedding as wide, SGD. */
function growthCase(name: string, sizes: Sizes): RowCase<TrainingStep> {
  const { hiddenSize, vocabularySize, numSteps } = sizes;
  const measured: TrainingStep = {
    kind: "trainingStep",
    model: {
      kind: "languageModel",
      ...{ vocabularySize, hiddenSize, embeddingSize: hiddenSize, numLayers: 1 },
    },
    ...{ numSteps, batchSize: BATCH_SIZE, microShards: MICRO_SHARDS },
    ...{ optimizer: "sgd", learningRate: 0.1, maxNorm: 1 },
  };
  return { name, measured, sizes, work: { unit: "tokens", amount: tokensOf(measured) } };
}
