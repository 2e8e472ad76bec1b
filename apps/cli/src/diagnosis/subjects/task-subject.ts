import { addingProblem, copyTask } from "@ostinato/lstm";
import { createSequenceModel, sequenceLastStep } from "@ostinato/lstm/model";
import type { BatchLeaf, SequenceBatch } from "@ostinato/lstm/model";
import { taskModelSpec } from "@ostinato/run";
import type { TaskConfig } from "@ostinato/run";

import { trainerSettings } from "./subject.js";
import type { Subject } from "./subject.js";

/** Batches of training are drawn for the steps from 1. */
const MEASURED_STEP = 0;

/** A model and a task: every batch is drawn anew from the seed. */
export function taskSubject(config: TaskConfig): Subject<{ readonly batch: SequenceBatch }> {
  const model = createSequenceModel(taskModelSpec(config));
  const measured = taskBatch(config, MEASURED_STEP);
  return {
    model,
    settings: trainerSettings(config),
    measured: { batch: measured },
    lastStep: { batch: sequenceLastStep(model.spec, measured) },
    epochAt: () => 0,
    feed() {
      let step = MEASURED_STEP;
      return {
        next: () => ({ input: { batch: taskBatch(config, ++step) }, epoch: 0 }),
        took: () => undefined,
      };
    },
  };
}

function taskBatch({ data, training, seed }: TaskConfig, step: number): SequenceBatch {
  const { batchSize: numRows, microShards } = training;
  const drawn = { numRows, seed, step };
  const leaves = evenLeaves(numRows, microShards);
  switch (data.kind) {
    case "addingProblem":
      return { ...addingProblem({ ...drawn, length: data.length }), leaves };
    case "copyTask":
      return { ...copyTask({ ...drawn, ...data }), leaves };
    default:
      return data satisfies never;
  }
}

function evenLeaves(numRows: number, microShards: number): readonly BatchLeaf[] {
  const first = (leaf: number): number => Math.floor((leaf * numRows) / microShards);
  return Array.from({ length: microShards }, (_, leaf) => ({
    leaf,
    firstRow: first(leaf),
    numRows: first(leaf + 1) - first(leaf),
  }));
}
