import { copyTaskSizes } from "@ostinato/lstm";
import type { SequenceModelSpec } from "@ostinato/lstm";

import type { TaskConfig } from "./task-schema.js";

/** The model of a task config with what follows from the task: inputs, outputs, targets, loss. */
export function taskModelSpec({ data, model }: TaskConfig): SequenceModelSpec {
  switch (data.kind) {
    case "addingProblem":
      return {
        ...model,
        input: { kind: "values", size: 2 },
        output: "lastStep",
        numTargets: 1,
        loss: model.loss ?? { kind: "meanSquared" },
      };
    case "copyTask": {
      const { vocabularySize, numTargets } = copyTaskSizes(data);
      return {
        ...model,
        // As wide as one-hot, which the literature feeds the cells with.
        input: { kind: "tokens", vocabularySize, embeddingSize: vocabularySize },
        output: "everyStep",
        numTargets,
        loss: model.loss ?? CROSS_ENTROPY,
      };
    }
    default:
      return data satisfies never;
  }
}

const CROSS_ENTROPY = {
  kind: "crossEntropy",
  classWeights: [],
  ignoredIndex: -100,
  labelSmoothing: 0,
} as const;
