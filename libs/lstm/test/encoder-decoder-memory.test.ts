/** Who frees what, and what is refused. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { compileModelSpec, LstmError } from "../src/index.js";
import { createEncoderDecoder } from "../src/model/index.js";
import type { EncoderDecoder, PairBatch } from "../src/model/index.js";
import { backends } from "./language-models.js";
import {
  expectCleanEndings,
  expectNothingLeft,
  expectParametersNeeded,
  heldModel,
} from "./support/call-endings.js";
import {
  END,
  pairBatchOf,
  pairSpecOf,
  randomPair,
  randomPairParameters,
  sequencesOf,
  START,
} from "./support/encoder-decoders.js";

const ignore = (): void => undefined;
const kinds = ["none", "additive", "multiplicative"].flatMap((attention) =>
  backends.map((backend) => ({ attention, backend })),
);

describe.each(kinds)("with attention $attention on $backend", ({ attention, backend }) => {
  const spec = pairSpecOf({
    attention,
    bidirectionalEncoder: true,
    numLayers: 2,
    dropout: 0.3,
    outputDropout: 0.3,
    activationPenalty: 1,
  });
  const batch = pairBatchOf([
    [randomPair(spec, 1), randomPair(spec, 2)],
    [],
    [randomPair(spec, 3)],
  ]);
  const training = { batch, seed: 1, step: 1, onGradient: ignore };
  let model: EncoderDecoder;

  beforeAll(() => selectBackend(backend));
  beforeEach(() => {
    const held = heldModel(() => createEncoderDecoder(spec), randomPairParameters(spec, 1));
    model = held.model;
    return held.expectEnd;
  });

  it("computeGradients, evaluate and translate leave nothing", () => {
    expectNothingLeft(
      () => model.computeGradients(training),
      () => model.evaluate({ batch }),
      () => model.translate(batch.source, { beamSize: 3, maxLength: 4 }),
    );
  });

  it("a call that is cancelled, or whose receiver throws, leaves nothing", () => {
    const numReports = expectCleanEndings((call) =>
      model.computeGradients({ ...training, ...call }),
    );
    expect(numReports).toBeGreaterThan(10);
  });

  it("needs parameters", () => {
    model.dispose();
    expectParametersNeeded(
      () => model.computeGradients(training),
      () => model.evaluate({ batch }),
      () => model.translate(batch.source, { beamSize: 1, maxLength: 1 }),
    );
  });
});

describe("a pair batch", () => {
  const spec = pairSpecOf();
  const good = pairBatchOf([
    [
      { source: [1, 2], target: [3] },
      { source: [4], target: [5, 6] },
    ],
  ]);
  const leaf = good.leaves[0]!;
  const tokens = (...values: number[]): Int32Array => Int32Array.from(values);

  it.each<[string, Partial<PairBatch>, string]>([
    [
      "an unknown source token",
      { source: { ...good.source, tokens: tokens(1, 4, 6, 0) } },
      "source token of step 1, row 0 is 6, allowed are 0 to 5",
    ],
    [
      "an unknown target token",
      { target: { ...good.target, tokens: tokens(3, -5, 0, 6) } },
      "target token of step 0, row 1 is -5, allowed are 0 to 6",
    ],
    [
      "an end within a target",
      { target: { ...good.target, tokens: tokens(3, 5, 0, END) } },
      "target token of step 1, row 1 is 0, the endId: targets come without start and end",
    ],
    [
      "a start within a target",
      { target: { ...good.target, tokens: tokens(START, 5, 0, 6) } },
      "target token of step 0, row 0 is 1, the startId: targets come without start and end",
    ],
    [
      "an empty source",
      { source: { ...good.source, lengths: tokens(2, 0) } },
      "source.lengths[1] is 0, expected a whole number from 1 to 2",
    ],
    [
      "a length beyond the steps",
      { target: { ...good.target, lengths: tokens(3, 2) } },
      "target.lengths[0] is 3, expected a whole number from 0 to 2",
    ],
    [
      "too few lengths",
      { source: { ...good.source, lengths: tokens(2) } },
      "source.lengths has 1 values, expected 2 rows",
    ],
    [
      "too few tokens",
      { target: { ...good.target, tokens: tokens(3, 5, 0) } },
      "target.tokens has 3 values, expected 2 steps × 2 rows",
    ],
    [
      "no source steps",
      { source: { ...good.source, numSteps: 0 } },
      "source.numSteps is 0, expected a whole number from 1",
    ],
    ["too few weights", { weights: Float32Array.of(1) }, "weights has 1 values, expected 2 rows"],
    [
      "a negative weight",
      { weights: Float32Array.of(1, -0.5) },
      "weights[1] is -0.5, expected a finite number from 0",
    ],
    [
      "a weight that is no number",
      { weights: Float32Array.of(NaN, 1) },
      "weights[0] is NaN, expected a finite number from 0",
    ],
    ["half a row", { numRows: 1.5 }, "numRows is 1.5, expected a whole number from 0"],
    ["leaves beyond the rows", { leaves: [{ ...leaf, numRows: 3 }] }, "leaves cover 3 of 2 rows"],
  ])("with %s is refused", (_, changes, message) => {
    const model = createEncoderDecoder(spec);
    model.setParameters(randomPairParameters(spec, 1));
    const batch = { ...good, ...changes };
    const expected = new LstmError("invalidBatch", `pair batch: ${message}`);
    expect(() => model.evaluate({ batch })).toThrow(expected);
    expect(() => model.computeGradients({ batch, seed: 1, step: 1, onGradient: ignore })).toThrow(
      expected,
    );
    model.dispose();
  });

  it("translates no source with an unknown token", () => {
    const model = createEncoderDecoder(spec);
    model.setParameters(randomPairParameters(spec, 1));
    expect(() => model.translate(sequencesOf([[1, 9]]), { beamSize: 1, maxLength: 1 })).toThrow(
      new LstmError(
        "invalidBatch",
        "pair batch: source token of step 1, row 0 is 9, allowed are 0 to 5",
      ),
    );
    model.dispose();
  });
});

describe("an encoder–decoder's spec", () => {
  it.each([
    [{ startId: 7 }, "model.startId is 7; it must be below targetVocabularySize (7)"],
    [{ endId: 9 }, "model.endId is 9; it must be below targetVocabularySize (7)"],
    [{ endId: -1 }, "model.endId is -1; it must be a whole number from 0 to 2147483646"],
    [
      { bidirectionalEncoder: true, hiddenSize: 5 },
      "model.hiddenSize is 5; it must be even for a bidirectionalEncoder",
    ],
    [
      { bidirectionalEncoder: true, projectionSize: 2 },
      "model.projectionSize is 2; it must be null for a bidirectionalEncoder",
    ],
    [
      { tiedEmbedding: true },
      "model.tiedEmbedding is true; it needs an embeddingSize (3) equal to hiddenSize (4)",
    ],
    [
      { attention: "dot" },
      `model.attention is "dot"; it must be 'none', 'additive' or 'multiplicative'`,
    ],
    [
      { peephole: true, cell: "gru" },
      "model.peephole is true; it fits cell 'lstm' only, not 'gru'",
    ],
  ])("refuses %o", (changes, message) => {
    expect(() => pairSpecOf(changes)).toThrow(new LstmError("invalidSpec", message));
  });

  it("needs both vocabularies and both ends", () => {
    for (const missing of ["sourceVocabularySize", "targetVocabularySize", "startId", "endId"]) {
      const raw = Object.fromEntries(
        Object.entries(pairSpecOf()).filter(([name]) => name !== missing),
      );
      expect(() => compileModelSpec(raw)).toThrow(`model.${missing} is missing; it must be`);
    }
  });
});
