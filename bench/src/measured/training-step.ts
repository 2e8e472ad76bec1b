/** A whole training step in this process, and what one of two workers computes of it. */
import { initialParameters } from "@ostinato/lstm";
import { createTrainer } from "@ostinato/lstm/model";
import { recycle } from "@ostinato/kernels/tensor";
import type { RepeatedWork } from "@ostinato/kernels/tensor";

import type { HalfGradients, TrainingStep } from "../cases/index.js";
import { withModel } from "./prepared-model.js";

const SEED = 1;

/** The gradients of all M leaves, as a lone worker has them, average, clipping, optimizer. */
export function trainingStep(step: TrainingStep): RepeatedWork {
  const { optimizer, learningRate, maxNorm, batchSize, microShards } = step;
  const rows = { numRows: batchSize, numLeaves: microShards };
  return withModel(step, rows, ({ model, input }): RepeatedWork => {
    const trainer = createTrainer({
      model,
      seed: SEED,
      optimizer: { kind: optimizer },
      clipping: { kind: "globalNorm", maxNorm },
      learningRate,
    });
    return { once: () => void trainer.trainStep(input), dispose: () => model.dispose() };
  });
}

/** Half of the leaves, forward and backward, with a new version of the parameters in each step. */
export function halfGradients(half: HalfGradients): RepeatedWork {
  const rows = { numRows: Math.ceil(half.batchSize / 2), numLeaves: half.microShards / 2 };
  return withModel(half, rows, ({ model, input }): RepeatedWork => {
    const parameters = initialParameters(model.spec, SEED);
    let step = 0;
    return {
      once() {
        step += 1;
        model.setParameters(parameters, { inPlace: true });
        const taken: Float32Array[] = [];
        const onGradient = (_: string, perNode: readonly Float32Array[]): void => {
          taken.push(...perNode);
        };
        model.computeGradients({ ...input, seed: SEED, step, nodes: "root", onGradient });
        // As they come back to a worker when they are out.
        recycle(taken);
      },
      dispose: () => model.dispose(),
    };
  });
}
