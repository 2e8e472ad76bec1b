/** Who frees what of a sequence model, what it leaves as it was, and what it refuses. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { LstmError } from "../src/index.js";
import { createSequenceModel } from "../src/model/index.js";
import type { SequenceModel } from "../src/model/index.js";
import { backends } from "./language-models.js";
import {
  expectCleanEndings,
  expectNothingLeft,
  expectParametersNeeded,
  heldModel,
} from "./support/call-endings.js";
import {
  randomSequence,
  randomSequenceParameters,
  sequenceBatchOf,
  sequenceSpecOf,
} from "./support/sequence-models.js";

const ignore = (): void => undefined;
const OPTIONS = { bidirectional: true, numLayers: 2, residual: true, dropout: 0.3 };
const TOKENS = { input: { kind: "tokens", vocabularySize: 6, embeddingSize: 3 } };
const cases = [
  { name: "values of the last step", changes: { output: "lastStep", normalization: "batch" } },
  { name: "values of every step", changes: { loss: { kind: "gaussian" }, outputDropout: 0.3 } },
  { name: "labels", changes: { ...TOKENS, loss: { kind: "ctc" }, temporalActivationPenalty: 1 } },
].flatMap((one) => backends.map((backend) => ({ ...one, backend })));

describe.each(cases)("a sequence model of $name on $backend", ({ changes, backend }) => {
  const spec = sequenceSpecOf({ ...OPTIONS, ...changes });
  const rows = [3, 1, 4].map((length, seed) => randomSequence(spec, length, seed));
  const batch = sequenceBatchOf(spec, [rows.slice(0, 2), [], rows.slice(2)]);
  const training = { batch, seed: 1, step: 1, onGradient: ignore };
  let model: SequenceModel;

  beforeAll(() => selectBackend(backend));
  beforeEach(() => {
    const held = heldModel(() => createSequenceModel(spec), randomSequenceParameters(spec, 1));
    model = held.model;
    return held.expectEnd;
  });

  it("computeGradients, evaluate and predict leave no tensor and the batch as it was", () => {
    const copy = structuredClone(batch);
    expectNothingLeft(
      () => model.computeGradients(training),
      () => model.evaluate({ batch }),
      () => model.predict(batch),
    );
    expect(batch).toEqual(copy);
  });

  it("a call that is cancelled, or whose receiver throws, leaves nothing", () => {
    const numReports = expectCleanEndings((call) =>
      model.computeGradients({ ...training, ...call }),
    );
    expect(numReports).toBeGreaterThan(10);
  });

  it("a batch without rows has zero gradients for every tensor", () => {
    const empty = sequenceBatchOf(spec, [[], []]);
    const gradients = new Map<string, readonly Float32Array[]>();
    const outcomes = model.computeGradients({
      ...training,
      batch: empty,
      onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
    });
    expect(outcomes.map(({ lossSum, lossWeight }) => [lossSum, lossWeight])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    for (const { name, size } of model.layout.tensors) {
      expect(gradients.get(name)).toEqual([new Float32Array(size), new Float32Array(size)]);
    }
    expect(model.predict(empty)).toEqual(new Float32Array(0));
  });

  it("needs parameters", () => {
    model.dispose();
    expectParametersNeeded(
      () => model.computeGradients(training),
      () => model.evaluate({ batch }),
      () => model.predict(batch),
    );
  });
});

describe("tokens that a sequence model does not know", () => {
  beforeAll(() => selectBackend("cpu"));

  it("are told by step and row", () => {
    const spec = sequenceSpecOf(TOKENS);
    const rows = [2, 3].map((length, seed) => randomSequence(spec, length, seed));
    const batch = sequenceBatchOf(spec, [rows]);
    const model = createSequenceModel(spec);
    model.setParameters(randomSequenceParameters(spec, 1));
    for (const token of [6, -1]) {
      // Step 1 of row 1; row 0's padding holds a token that no one reads.
      const inputs = (batch.inputs as Int32Array).map((own, n) => (n === 3 ? token : own));
      expect(() => model.predict({ ...batch, inputs })).toThrow(
        new LstmError(
          "invalidBatch",
          `sequence batch: inputs of step 1, row 1 is token ${token}, allowed are 0 to 5`,
        ),
      );
    }
    model.dispose();
  });
});

describe("input values that are no finite numbers", () => {
  beforeAll(() => selectBackend("cpu"));

  it.each([NaN, Infinity, -Infinity])("are told by step, row and value: %d", (value) => {
    const spec = sequenceSpecOf();
    const rows = [2, 3].map((length, seed) => randomSequence(spec, length, seed));
    // Row 0's padding holds NaN, which no one reads.
    const batch = sequenceBatchOf(spec, [rows]);
    // [T,B,I] of 2 rows and 3 values: step 1, row 1, value 2.
    const inputs = (batch.inputs as Float32Array).with((1 * 2 + 1) * 3 + 2, value);
    const model = createSequenceModel(spec);
    model.setParameters(randomSequenceParameters(spec, 1));
    const wrong = { ...batch, inputs };
    const error = new LstmError(
      "invalidBatch",
      `sequence batch: inputs of step 1, row 1, value 2 is ${value}, expected a finite number`,
    );
    for (const call of [
      () => model.computeGradients({ batch: wrong, seed: 1, step: 1, onGradient: ignore }),
      () => model.evaluate({ batch: wrong }),
      () => model.predict(wrong),
    ]) {
      expect(call).toThrow(error);
    }
    model.dispose();
  });
});

describe("what a sequence model's targets must be", () => {
  const spec = sequenceSpecOf();
  // Row 2 is the first of its leaf.
  const rows = [2, 3, 3].map((length, seed) => ({
    ...randomSequence(spec, length, seed),
    weights: Array.from({ length }, () => 1),
  }));

  beforeAll(() => selectBackend("cpu"));

  it.each([false, true])("is told by step and row of the batch, in training: %s", (isTraining) => {
    const batch = sequenceBatchOf(spec, [rows.slice(0, 2), rows.slice(2)]);
    const targets = (batch.targets as Float32Array).slice();
    // [T,B,K] of 3 rows and 2 values: step 1, row 2, value 1.
    targets[(1 * 3 + 2) * 2 + 1] = Infinity;
    const model = createSequenceModel(spec);
    model.setParameters(randomSequenceParameters(spec, 1));
    const call = { batch: { ...batch, targets } };
    const run = (): unknown =>
      isTraining
        ? model.computeGradients({ ...call, seed: 1, step: 1, onGradient: ignore })
        : model.evaluate(call);
    expect(run).toThrow(
      "meanSquared loss: target value 1 at step 1, row 2 is Infinity; it must be a finite number",
    );
    model.dispose();
  });

  it("is told of the last step as of the row", () => {
    const last = sequenceSpecOf({ output: "lastStep" });
    const batch = sequenceBatchOf(last, [
      [randomSequence(last, 2, 1)],
      [{ ...randomSequence(last, 3, 2), weights: [1] }],
    ]);
    const targets = (batch.targets as Float32Array).map((value, n) => (n === 2 ? NaN : value));
    const model = createSequenceModel(last);
    model.setParameters(randomSequenceParameters(last, 1));
    expect(() => model.evaluate({ batch: { ...batch, targets } })).toThrow(
      "target value 0 at the last step of row 1 is NaN",
    );
    model.dispose();
  });

  it("is told of labels by the row of the batch", () => {
    const ctc = sequenceSpecOf({ loss: { kind: "ctc" }, numTargets: 3 });
    const row = (length: number, labels: readonly number[]): (typeof rows)[number] => ({
      ...randomSequence(ctc, length, 1),
      targets: [[...labels]],
      weights: [1],
    });
    const batch = sequenceBatchOf(ctc, [[row(2, [1])], [row(2, [2, 2])]]);
    const model = createSequenceModel(ctc);
    model.setParameters(randomSequenceParameters(ctc, 1));
    expect(() => model.evaluate({ batch })).toThrow("ctc loss: row 1 has 2 steps for 2 labels");
    model.dispose();
  });
});
