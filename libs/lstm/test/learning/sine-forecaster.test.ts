/** A forecaster: the next value of a sine whose period and phase are other ones in each row. */
import { selectFastestBackend } from "@ostinato/kernels/tensor";
import { beforeAll, expect, it } from "vitest";

import { compileModelSpec } from "../../src/index.js";
import { createSequenceModel, createTrainer } from "../../src/model/index.js";
import type { SequenceBatch } from "../../src/model/index.js";
import { randomValues } from "../language-models.js";

const NUM_STEPS = 40;

/** Rows of sines with periods from 8 to 25 steps; the target is the value one step on. */
function sines(numRows: number, seed: number): SequenceBatch {
  const draws = randomValues(seed)(2 * numRows);
  const inputs = new Float32Array(NUM_STEPS * numRows);
  const targets = new Float32Array(NUM_STEPS * numRows);
  for (let row = 0; row < numRows; row++) {
    const frequency = (2 * Math.PI) / (16.5 + 8.5 * draws[2 * row]!);
    const phase = Math.PI * draws[2 * row + 1]!;
    for (let t = 0; t < NUM_STEPS; t++) {
      inputs[t * numRows + row] = Math.sin(frequency * t + phase);
      targets[t * numRows + row] = Math.sin(frequency * (t + 1) + phase);
    }
  }
  const leaves = [{ leaf: 0, firstRow: 0, numRows }];
  // What comes first cannot be forecast: the period is not known yet.
  const weights = Float32Array.from({ length: NUM_STEPS * numRows }, (_, k) =>
    k < 10 * numRows ? 0 : 1,
  );
  return { numSteps: NUM_STEPS, numRows, inputs, targets, weights, leaves };
}

beforeAll(() => selectFastestBackend());

it("is forecast far better than by the value before or by a straight line", () => {
  const model = createSequenceModel(
    compileModelSpec({
      kind: "sequenceModel",
      input: { kind: "values", size: 1 },
      hiddenSize: 32,
      output: "everyStep",
      numTargets: 1,
      loss: { kind: "meanSquared" },
    }),
  );
  const optimizer = { kind: "adam" };
  const schedule = { kind: "cosine", totalSteps: 400, finalFraction: 0.05 };
  const trainer = createTrainer({ model, seed: 5, optimizer, learningRate: 0.01, schedule });
  for (let step = 1; step <= 400; step++) trainer.trainStep({ batch: sines(32, step) });
  const test = sines(200, 100_000);
  const { loss } = trainer.evaluate({ batch: test });
  model.dispose();
  const baseline = (forecast: (at: number) => number): number => {
    let [sum, count] = [0, 0];
    for (const [k, weight] of test.weights!.entries()) {
      if (weight === 0) continue;
      sum += (forecast(k) - test.targets[k]!) ** 2;
      count++;
    }
    return sum / count;
  };
  const valueAt = (k: number): number => test.inputs[k]!;
  const persistence = baseline(valueAt);
  const line = baseline((k) => 2 * valueAt(k) - valueAt(k - test.numRows));
  expect(loss).toBeLessThan(persistence / 50);
  expect(loss).toBeLessThan(line / 2);
});
