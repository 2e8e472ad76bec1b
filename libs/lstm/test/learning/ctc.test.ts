/**
 * CTC on a synthetic alphabet: each label of a row is drawn out over one to three steps as a noisy
 * pattern, with silence between some; nothing says where a label begins.
 */
import { selectFastestBackend } from "@ostinato/kernels/tensor";
import { beforeAll, expect, it } from "vitest";

import { compileModelSpec, ctcGreedyDecode } from "../../src/index.js";
import { createSequenceModel, createTrainer } from "../../src/model/index.js";
import type { SequenceBatch } from "../../src/model/index.js";
import { randomValues } from "../language-models.js";

/** Label 0 is the blank. */
const NUM_LABELS = 5;
const NUM_FEATURES = 4;
const NUM_STEPS = 24;
const LONGEST = 5;

interface Utterances extends SequenceBatch {
  readonly lengths: Int32Array;
  readonly targetLengths: Int32Array;
}

function utterances(numRows: number, seed: number): Utterances {
  const draws = randomValues(seed)(numRows * 400);
  let at = 0;
  const draw = (): number => (draws[at++]! + 1) / 2;
  const inputs = new Float32Array(NUM_STEPS * numRows * NUM_FEATURES);
  const targets = new Int32Array(numRows * LONGEST);
  const [lengths, targetLengths] = [new Int32Array(numRows), new Int32Array(numRows)];
  for (let row = 0; row < numRows; row++) {
    const numLabels = 2 + Math.floor(draw() * (LONGEST - 1));
    let t = 0;
    let before = 0;
    for (let k = 0; k < numLabels; k++) {
      const label = 1 + Math.floor(draw() * (NUM_LABELS - 1));
      targets[row * LONGEST + k] = label;
      // Silence: always between equal labels, else now and then.
      if (label === before || draw() < 0.3) t++;
      const duration = 1 + Math.floor(draw() * 3);
      for (let d = 0; d < duration; d++, t++) {
        inputs[(t * numRows + row) * NUM_FEATURES + label - 1] = 1;
      }
      before = label;
    }
    lengths[row] = t;
    targetLengths[row] = numLabels;
    for (let step = 0; step < t; step++) {
      for (let k = 0; k < NUM_FEATURES; k++) {
        const position = (step * numRows + row) * NUM_FEATURES + k;
        inputs[position] = inputs[position]! + 0.3 * (draw() - 0.5);
      }
    }
  }
  const leaves = [{ leaf: 0, firstRow: 0, numRows }];
  return { numSteps: NUM_STEPS, numRows, inputs, targets, lengths, targetLengths, leaves };
}

beforeAll(() => selectFastestBackend());

it("is transcribed: nearly every row without a mistake", () => {
  const model = createSequenceModel(
    compileModelSpec({
      kind: "sequenceModel",
      input: { kind: "values", size: NUM_FEATURES },
      bidirectional: true,
      hiddenSize: 24,
      output: "everyStep",
      numTargets: NUM_LABELS,
      loss: { kind: "ctc" },
    }),
  );
  const optimizer = { kind: "adam" };
  const trainer = createTrainer({ model, seed: 2, optimizer, learningRate: 0.01 });
  for (let step = 1; step <= 250; step++) trainer.trainStep({ batch: utterances(32, step) });
  const test = utterances(200, 100_000);
  const outputs = model.predict(test);
  model.dispose();
  const decoded = ctcGreedyDecode({
    outputs,
    numRows: test.numRows,
    numLabels: NUM_LABELS,
    inputLengths: test.lengths,
  });
  const right = decoded.filter(({ labels }, row) => {
    const first = row * LONGEST;
    const wanted = test.targets.subarray(first, first + test.targetLengths[row]!);
    return labels.length === wanted.length && wanted.every((label, k) => label === labels[k]);
  });
  expect(right.length / test.numRows).toBeGreaterThan(0.9);
});
