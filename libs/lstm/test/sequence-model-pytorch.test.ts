/** Against PyTorch, by the fixture of libs/lstm/tools/make-sequence-model-fixtures.py. */
import { readFileSync } from "node:fs";

import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import type { SequenceModelSpec } from "../src/index.js";
import { createSequenceModel } from "../src/model/index.js";
import type { SequenceBatch } from "../src/model/index.js";
import { backends, flatten, relativeError } from "./language-models.js";
import { lossOf, sequenceSpecOf } from "./support/sequence-models.js";
import type { Changes } from "./support/sequence-models.js";

type Tensors = Readonly<Record<string, readonly number[]>>;

interface Fixture {
  readonly spec: Changes;
  readonly lengths: readonly number[];
  readonly parameters: Tensors;
  readonly inputs: readonly number[];
  readonly targets: readonly number[] | readonly (readonly number[])[];
  readonly outputs: readonly number[];
  /** Of each row. */
  readonly losses: readonly number[];
  /** Of their sum. */
  readonly gradients: Tensors;
}

const path = new URL("../fixtures/sequence-models.json", import.meta.url);
const { models } = JSON.parse(readFileSync(path, "utf8")) as {
  readonly models: Readonly<Record<string, Fixture>>;
};

/** All rows in one leaf, or each in a leaf of its own. */
function batchOf(spec: SequenceModelSpec, fixture: Fixture, isApart: boolean): SequenceBatch {
  const numRows = fixture.lengths.length;
  return {
    numSteps: Math.max(...fixture.lengths),
    numRows,
    inputs:
      spec.input.kind === "tokens"
        ? Int32Array.from(fixture.inputs)
        : Float32Array.from(fixture.inputs),
    lengths: Int32Array.from(fixture.lengths),
    ...targetsOf(spec, fixture),
    leaves: isApart
      ? fixture.lengths.map((_, row) => ({ leaf: row, firstRow: row, numRows: 1 }))
      : [{ leaf: 0, firstRow: 0, numRows }],
  };
}

function targetsOf(
  spec: SequenceModelSpec,
  { targets }: Fixture,
): Pick<SequenceBatch, "targets" | "targetLengths"> {
  if (lossOf(spec).targetKind === "values") return { targets: Float32Array.from(targets.flat()) };
  if (lossOf(spec).targetKind === "classes") return { targets: Int32Array.from(targets.flat()) };
  const labels = targets as readonly (readonly number[])[];
  const longest = Math.max(...labels.map(({ length }) => length));
  return {
    targets: Int32Array.from(
      labels.flatMap((own) => Array.from({ length: longest }, (_, k) => own[k] ?? -1)),
    ),
    targetLengths: Int32Array.from(labels, ({ length }) => length),
  };
}

describe.each(backends)("a sequence model on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(Object.entries(models))(
    "has PyTorch's outputs, losses and gradients: %s",
    (_, fixture) => {
      const spec = sequenceSpecOf(fixture.spec);
      const model = createSequenceModel(spec);
      model.setParameters(flatten(model.layout, fixture.parameters));
      const together = batchOf(spec, fixture, false);
      expect(relativeError(model.predict(together), fixture.outputs)).toBeLessThan(1e-5);
      const gradients = new Map<string, readonly Float32Array[]>();
      const training = { seed: 0, step: 0 };
      model.computeGradients({
        batch: together,
        ...training,
        onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
      });
      const rows = model.computeGradients({
        batch: batchOf(spec, fixture, true),
        ...training,
        onGradient: () => undefined,
      });
      model.dispose();
      const lossSums = rows.map(({ lossSum }) => lossSum);
      expect(relativeError(lossSums, fixture.losses)).toBeLessThan(1e-5);
      expect([...gradients.keys()].sort()).toEqual(Object.keys(fixture.gradients).sort());
      for (const [tensor, expected] of Object.entries(fixture.gradients)) {
        const [actual] = gradients.get(tensor)!;
        expect(relativeError(actual!, expected), tensor).toBeLessThan(1e-4);
      }
    },
  );
});
