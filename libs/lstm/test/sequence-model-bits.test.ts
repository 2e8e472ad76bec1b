/** The bits of a sequence model's leaf do not depend on what else is in the batch, nor on its padding. */
import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { createSequenceModel } from "../src/model/index.js";
import type { LeafOutcome, SequenceBatch, SequenceModel } from "../src/model/index.js";
import { allBackends, bitsOf, outcomeBits } from "./language-models.js";
import {
  anySequenceSpec,
  randomSequence,
  randomSequenceParameters,
  sequenceBatchOf,
  sequenceSpecOf,
} from "./support/sequence-models.js";
import { divisionsOf, expectNodeSums, flatGradients } from "./support/node-gradients.js";
import type { NodesCall } from "./support/node-gradients.js";

const cases = fc.record({
  spec: fc.oneof(
    anySequenceSpec(fc.integer({ min: 1, max: 7 })),
    // Beyond the width of a vector and of a tile.
    anySequenceSpec(fc.constantFrom(17, 34)),
  ),
  lengthsOfLeaves: fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }), {
    minLength: 2,
    maxLength: 4,
  }),
  further: fc.integer({ min: 0, max: 3 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

describe.each(allBackends)("a sequence model on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("yields the bits of k leaves computed alone, whatever the options and lengths", () => {
    fc.assert(
      fc.property(cases, ({ spec, lengthsOfLeaves, further, seed }) => {
        const model = createSequenceModel(spec);
        model.setParameters(randomSequenceParameters(spec, seed));
        const leaves = lengthsOfLeaves.map((lengths, leaf) =>
          lengths.map((length, row) => randomSequence(spec, length, seed + 100 * leaf + row)),
        );
        const alone = leaves.map((rows, leaf) =>
          sequenceBatchOf(spec, [rows], { firstLeaf: leaf }),
        );
        const together = sequenceBatchOf(spec, leaves, { further });
        const apart = alone.map((batch) => trainingBits(model, batch));
        const joined = trainingBits(model, together);
        expect(joined.outcomes).toEqual(apart.flatMap(({ outcomes }) => outcomes));
        expect(joined.gradients.map(bitsOf)).toEqual(
          apart.flatMap(({ gradients }) => gradients.map(bitsOf)),
        );
        const divisions = divisionsOf(leaves.length);
        const division = divisions[seed % divisions.length]!;
        expectNodeSums(model.layout, joined.gradients, division, gradientsOf(model, together));
        expect(model.evaluate({ batch: together }).map(outcomeBits)).toEqual(
          alone.flatMap((batch) => model.evaluate({ batch }).map(outcomeBits)),
        );
        model.dispose();
      }),
      { numRuns: backend === "wasm" ? 60 : 20 },
    );
  });

  it("sums single rows along the tree to what a worker with all of them has", () => {
    const spec = sequenceSpecOf({
      hiddenSize: 20,
      bidirectional: true,
      loss: { kind: "gaussian" },
    });
    const model = createSequenceModel(spec);
    model.setParameters(randomSequenceParameters(spec, 4));
    const leaves = [5, 2, 6, 1].map((length, seed) => [randomSequence(spec, length, seed)]);
    const single = leaves.flatMap(
      (rows, leaf) =>
        trainingBits(model, sequenceBatchOf(spec, [rows], { firstLeaf: leaf })).gradients,
    );
    const batch = sequenceBatchOf(spec, leaves);
    const together = trainingBits(model, batch).gradients;
    expect(bitsOf(sumLeavesInTreeOrder(together))).toBe(bitsOf(sumLeavesInTreeOrder(single)));
    const halves = [0, 2].map((first) => ({ first, count: 2 }));
    for (const division of [...divisionsOf(4), { nodes: halves, spans: halves }]) {
      expectNodeSums(model.layout, single, division, gradientsOf(model, batch));
    }
    model.dispose();
  });

  it("takes rows as long as the batch for rows without lengths, and no weights for ones", () => {
    const spec = sequenceSpecOf({ bidirectional: true, normalization: "batch" });
    const model = createSequenceModel(spec);
    model.setParameters(randomSequenceParameters(spec, 4));
    const rows = [1, 2, 3].map((seed) => {
      const row = randomSequence(spec, 4, seed);
      return { ...row, weights: row.weights.map(() => 1) };
    });
    const { lengths, weights, ...rest } = sequenceBatchOf(spec, [rows]);
    const told = trainingBits(model, { ...rest, lengths, weights });
    const untold = trainingBits(model, rest);
    expect(untold.outcomes).toEqual(told.outcomes);
    expect(untold.gradients.map(bitsOf)).toEqual(told.gradients.map(bitsOf));
    expect(bitsOf(model.predict(rest))).toBe(bitsOf(model.predict({ ...rest, lengths })));
    model.dispose();
  });
});

const gradientsOf =
  (model: SequenceModel, batch: SequenceBatch) =>
  (call: NodesCall): readonly LeafOutcome[] =>
    model.computeGradients({ batch, seed: 5, step: 8, ...call });

/** Of each leaf; the gradients in the model's layout. */
function trainingBits(
  model: SequenceModel,
  batch: SequenceBatch,
): { readonly outcomes: unknown[]; readonly gradients: readonly Float32Array[] } {
  const { gradients, outcomes } = flatGradients(
    model.layout,
    batch.leaves.length,
    gradientsOf(model, batch),
  );
  return { outcomes: outcomes.map(outcomeBits), gradients };
}
