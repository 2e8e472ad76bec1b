/** The bits of a leaf do not depend on what else is in the batch, nor on the padding that it brings. */
import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import { selectBackend } from "@ostinato/kernels/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { statisticsLayout } from "../src/index.js";
import { createEncoderDecoder } from "../src/model/index.js";
import type { EncoderDecoder, LeafOutcome, PairBatch } from "../src/model/index.js";
import { allBackends, bitsOf } from "./language-models.js";
import {
  anyPairSpec,
  comparable,
  pairBatchOf,
  pairBits,
  pairSpecOf,
  randomPair,
  randomPairParameters,
} from "./support/encoder-decoders.js";
import { divisionsOf, expectNodeSums, flatGradients } from "./support/node-gradients.js";
import type { NodesCall } from "./support/node-gradients.js";

const cases = fc.record({
  spec: fc.oneof(
    anyPairSpec(fc.integer({ min: 1, max: 7 })),
    // Beyond the width of a vector and of a tile.
    anyPairSpec(fc.constantFrom(20, 34)),
  ),
  rowsOfLeaves: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 4 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
  further: fc.integer({ min: 0, max: 3 }),
});

describe.each(allBackends)("an encoder–decoder on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("yields the bits of k leaves computed alone, whatever the options and lengths", () => {
    fc.assert(
      fc.property(cases, ({ spec, rowsOfLeaves, seed, further }) => {
        const model = createEncoderDecoder(spec);
        model.setParameters(randomPairParameters(spec, seed));
        const leaves = rowsOfLeaves.map((numRows, leaf) =>
          Array.from({ length: numRows }, (_, row) => randomPair(spec, seed + 100 * leaf + row)),
        );
        const alone = leaves.map((pairs, leaf) => pairBatchOf([pairs], { firstLeaf: leaf }));
        const together = pairBatchOf(leaves, { garbage: 2 ** 31 - 1, further });
        expect(pairBits(model, together)).toEqual(alone.flatMap((batch) => pairBits(model, batch)));
        const divisions = divisionsOf(leaves.length);
        const division = divisions[seed % divisions.length]!;
        const perLeaf = leafGradients(model, together);
        expectNodeSums(model.layout, perLeaf, division, gradientsOf(model, together));
        expect(model.evaluate({ batch: together }).map(comparable)).toEqual(
          alone.flatMap((batch) => model.evaluate({ batch }).map(comparable)),
        );
        model.dispose();
      }),
      { numRuns: backend === "wasm" ? 40 : 15 },
    );
  });

  it.each(["additive", "multiplicative"])(
    "sums single rows along the tree to what a worker with all of them has: %s",
    (attention) => {
      const spec = pairSpecOf({ attention, hiddenSize: 20, bidirectionalEncoder: true });
      const model = createEncoderDecoder(spec);
      model.setParameters(randomPairParameters(spec, 4));
      const leaves = [0, 1, 2, 3].map((seed) => [randomPair(spec, seed)]);
      const single = leaves.flatMap((pairs, leaf) =>
        leafGradients(model, pairBatchOf([pairs], { firstLeaf: leaf })),
      );
      const batch = pairBatchOf(leaves);
      const sum = bitsOf(sumLeavesInTreeOrder(leafGradients(model, batch)));
      expect(sum).toBe(bitsOf(sumLeavesInTreeOrder(single)));
      const halves = [0, 2].map((first) => ({ first, count: 2 }));
      for (const division of [...divisionsOf(4), { nodes: halves, spans: halves }]) {
        expectNodeSums(model.layout, single, division, gradientsOf(model, batch));
      }
      model.dispose();
    },
  );

  it("gathers moments of both stacks, over the tokens and not over the padding", () => {
    const spec = pairSpecOf({ normalization: "batch", numLayers: 2, bidirectionalEncoder: true });
    const names = statisticsLayout(spec).entries.map(({ name, size }) => [name, size]);
    expect(names).toEqual([
      ["encoder.layers.0.norm", 4],
      ["encoder.layers.1.norm", 4],
      ["decoder.layers.0.norm", 4],
      ["decoder.layers.1.norm", 4],
    ]);
    const model = createEncoderDecoder(spec);
    model.setParameters(randomPairParameters(spec, 2));
    const batch = pairBatchOf([
      [
        { source: [1, 2, 3], target: [4] },
        { source: [1], target: [3, 3, 3] },
      ],
      [{ source: [5, 5], target: [] }],
    ]);
    const onGradient = (): void => undefined;
    const outcomes = model.computeGradients({ batch, seed: 1, step: 1, onGradient });
    // Sources of 3 + 1 tokens; start + target of 2 + 4.
    expect(outcomes[0]!.moments.map(({ count }) => count)).toEqual([4, 4, 6, 6]);
    expect(outcomes[1]!.moments.map(({ count }) => count)).toEqual([2, 2, 1, 1]);
    const before = model.evaluate({ batch });
    const running = new Float64Array(statisticsLayout(spec).size).fill(0.7);
    model.setRunningStatistics(running);
    expect(model.evaluate({ batch })).not.toEqual(before);
    model.dispose();
  });
});

const gradientsOf =
  (model: EncoderDecoder, batch: PairBatch) =>
  (call: NodesCall): readonly LeafOutcome[] =>
    model.computeGradients({ batch, seed: 5, step: 8, ...call });

/** Of each leaf, in the model's layout. */
const leafGradients = (model: EncoderDecoder, batch: PairBatch): readonly Float32Array[] =>
  flatGradients(model.layout, batch.leaves.length, gradientsOf(model, batch)).gradients;
