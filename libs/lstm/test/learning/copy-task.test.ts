/** The copy task: symbols have to be repeated after a delay in which nothing recalls them. */
import { selectFastestBackend } from "@ostinato/kernels/tensor";
import { beforeAll, expect, it } from "vitest";

import { compileModelSpec, copyTask, copyTaskSizes } from "../../src/index.js";
import { createSequenceModel, createTrainer } from "../../src/model/index.js";

const TASK = { numSymbols: 3, delay: 20, alphabetSize: 4 };

/** Share of the symbols repeated rightly, of rows that training never saw. */
function recallAfter(numSteps: number, cell: string, learningRate = 0.01): number {
  const { vocabularySize, numTargets } = copyTaskSizes(TASK);
  const model = createSequenceModel(
    compileModelSpec({
      kind: "sequenceModel",
      input: { kind: "tokens", vocabularySize, embeddingSize: 8 },
      cell,
      hiddenSize: 48,
      output: "everyStep",
      numTargets,
      loss: { kind: "crossEntropy" },
    }),
  );
  const optimizer = { kind: "adam" };
  const trainer = createTrainer({ model, seed: 3, optimizer, learningRate });
  const numRows = 32;
  for (let step = 1; step <= numSteps; step++) {
    const batch = copyTask({ ...TASK, numRows, seed: 3, step });
    trainer.trainStep({ batch: { ...batch, leaves: [{ leaf: 0, firstRow: 0, numRows }] } });
  }
  const test = copyTask({ ...TASK, numRows: 200, seed: 4, step: 0 });
  const logits = model.predict(test);
  model.dispose();
  let right = 0;
  const first = (test.numSteps - TASK.numSymbols) * test.numRows;
  for (let position = first; position < test.targets.length; position++) {
    const ofPosition = logits.subarray(position * numTargets, (position + 1) * numTargets);
    if (ofPosition.indexOf(Math.max(...ofPosition)) === test.targets[position]) right++;
  }
  return right / (TASK.numSymbols * test.numRows);
}

beforeAll(() => selectFastestBackend());

// Chance is 1 in 4 (5 with the blank).
it("is learnt by a GRU: it repeats nearly every symbol", () => {
  expect(recallAfter(500, "gru")).toBeGreaterThan(0.95);
});

it("is learnt by an LSTM in more and smaller steps", () => {
  expect(recallAfter(1500, "lstm", 0.005)).toBeGreaterThan(0.95);
});

it("is not learnt by a vanilla RNN in as many", () => {
  expect(recallAfter(1500, "rnn", 0.005)).toBeLessThan(0.5);
});
