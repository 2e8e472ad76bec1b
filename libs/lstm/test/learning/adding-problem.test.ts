/**
 * The adding problem over 100 steps: what gated cells are for. Who always answers 1 has an error of 1/6;
 * a vanilla RNN stays there (Le et al., 2015, section 4.1), LSTM and GRU leave it far behind.
 */
import { selectFastestBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { addingProblem, compileModelSpec } from "../../src/index.js";
import { createSequenceModel, createTrainer } from "../../src/model/index.js";

const LENGTH = 100;
const SEED = 1;

/** The mean squared error on rows that training never saw, after that many steps of Adam. */
function errorAfter(
  numSteps: number,
  cell: Readonly<Record<string, unknown>>,
  learningRate = 0.01,
): number {
  const model = createSequenceModel(
    compileModelSpec({
      kind: "sequenceModel",
      input: { kind: "values", size: 2 },
      hiddenSize: 32,
      output: "lastStep",
      numTargets: 1,
      loss: { kind: "meanSquared" },
      ...cell,
    }),
  );
  const trainer = createTrainer({
    model,
    seed: SEED,
    optimizer: { kind: "adam" },
    learningRate,
  });
  const drawn = (numRows: number, seed: number, step: number) => ({
    ...addingProblem({ length: LENGTH, numRows, seed, step }),
    leaves: [{ leaf: 0, firstRow: 0, numRows }],
  });
  for (let step = 1; step <= numSteps; step++) {
    trainer.trainStep({ batch: drawn(20, SEED, step) });
  }
  const { loss } = trainer.evaluate({ batch: drawn(500, SEED + 1, 0) });
  model.dispose();
  return loss;
}

describe("the adding problem over 100 steps", () => {
  beforeAll(() => selectFastestBackend());

  it("is solved by an LSTM as it is by default", () => {
    expect(errorAfter(800, { cell: "lstm" }, 0.05)).toBeLessThan(0.03);
  });

  it("is solved in fewer and smaller steps by an LSTM whose gates start with the task's time scale", () => {
    const initialization = [{ match: "layers.0.bias", kind: "chrono", maxTime: LENGTH }];
    expect(errorAfter(550, { cell: "lstm", initialization })).toBeLessThan(0.03);
  });

  it("is solved by a GRU", () => {
    expect(errorAfter(500, { cell: "gru" })).toBeLessThan(0.03);
  });

  it("is not solved by a vanilla RNN in as many steps as any of them", () => {
    expect(errorAfter(800, { cell: "rnn" })).toBeGreaterThan(0.12);
  });
});
