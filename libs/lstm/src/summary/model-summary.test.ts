import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { compileModelSpec } from "../spec/index.js";
import { formatSummary } from "./format-summary.js";
import { modelSummary } from "./model-summary.js";

const languageModel = compileModelSpec({
  kind: "languageModel",
  vocabularySize: 50,
  embeddingSize: 8,
  hiddenSize: 10,
  numLayers: 2,
  dropout: 0.5,
});

describe("modelSummary", () => {
  it("sums up a language model", () => {
    const summary = modelSummary(languageModel, { rows: 4, steps: 6, optimizerSlots: 1 });
    expect(summary.layers.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["embedding", 400], // 50 · 8
      ["layers.0", 760], // (8 + 10) · 40 + 40
      ["layers.1", 840], // (10 + 10) · 40 + 40
      ["head", 550], // 10 · 50 + 50
    ]);
    expect(summary.parameters).toBe(2550);
    // 24 positions, 28 states. A layer: gates 40, outputs 10 and tanh of the cell 10 a position;
    // hidden and cell 20 a state: 24 · 60 + 28 · 20 = 2000.
    expect(summary.layers.map(({ activations }) => activations)).toEqual([
      192, // 24 · 8
      2000,
      2480, // mask and product of ten inputs: 24 · 20 more
      0,
    ]);
    expect(summary.memory).toEqual({
      parameterBytes: 10_200,
      optimizerBytes: 10_200,
      activationBytes: 18_688, // 4 · 4672
      totalBytes: 39_088,
    });
  });

  it("sums up a bidirectional sequence model with everything on", () => {
    const spec = compileModelSpec({
      kind: "sequenceModel",
      input: { kind: "values", size: 3 },
      bidirectional: true,
      cell: "gru",
      hiddenSize: 4,
      numLayers: 2,
      residual: true,
      normalization: "layer",
      inputDropout: 0.1,
      outputDropout: 0.1,
      zoneoutHidden: 0.1,
      output: "lastStep",
      numTargets: 2,
      loss: { kind: "gaussian" },
    });
    const { layers, parameters } = modelSummary(spec, { rows: 2, steps: 5 });
    // A direction: (I + 4) · 12 + 12 + 4; a normalization: 8 + 8.
    expect(layers.map((layer) => [layer.name, layer.parameters])).toEqual([
      ["inputs", 0],
      ["layers.0", 2 * (7 * 12 + 16) + 16],
      ["layers.1", 2 * (12 * 12 + 16) + 16],
      ["head", 8 * 4 + 4], // mean and deviation of two targets
    ]);
    expect(parameters).toBe(216 + 336 + 36);
    // 10 positions, 12 states. A direction: gates 12, outputs 4, candidate 4, zoneout 4 a position,
    // hidden 4 a state: 240 + 48 = 288.
    expect(layers.map(({ activations }) => activations)).toEqual([
      30,
      // Input dropout 6, both directions 3 + 8, normalization 16 a position.
      2 * 288 + 10 * (6 + 11 + 16),
      // Both directions 8 + 8, residual 8, normalization 16, output dropout 16.
      2 * 288 + 10 * (16 + 8 + 16 + 16),
      16, // twice two rows of four
    ]);
  });

  it("sums up an encoder–decoder", () => {
    const spec = compileModelSpec({
      kind: "encoderDecoder",
      sourceVocabularySize: 20,
      targetVocabularySize: 30,
      startId: 1,
      endId: 2,
      embeddingSize: 5,
      cell: "rnn",
      hiddenSize: 6,
      bidirectionalEncoder: true,
      attention: "additive",
    });
    const { layers, options } = modelSummary(spec, { rows: 2, steps: 4, sourceSteps: 3 });
    expect(layers.map((layer) => [layer.name, layer.parameters])).toEqual([
      ["encoder.embedding", 100],
      ["encoder.layers.0", 2 * ((5 + 3) * 3 + 3)],
      ["decoder.embedding", 150],
      ["decoder.layers.0", (5 + 6) * 6 + 6],
      ["attention", 36 + 36 + 6 + 12 * 6 + 6],
      ["head", 6 * 30 + 30],
    ]);
    // 6 source positions, 8 source states; 10 target positions (with the start), 12 target states.
    expect(layers.map(({ activations }) => activations)).toEqual([
      30,
      // A direction: activations 3 and outputs 3 a position, hidden 3 a state; both: 5 + 6 a position.
      2 * (6 * 6 + 8 * 3) + 6 * 11,
      50,
      10 * 12 + 12 * 6,
      // Memory 6 + keys 6; products 6, contexts 6, combined 12, result 6, queries 6; weights 2 · 5 · 3.
      6 * 12 + 10 * 36 + 30,
      0,
    ]);
    expect(options).toEqual({ rows: 2, steps: 4, sourceSteps: 3, optimizerSlots: 2 });
  });

  it("counts what the options of an LSTM keep", () => {
    const of = (changes: Readonly<Record<string, unknown>>): number =>
      modelSummary(compileModelSpec({ ...languageModel, numLayers: 1, ...changes }), {
        rows: 1,
        steps: 1,
      }).layers[1]!.activations;
    // One position, two states: gates 40, outputs 10, tanh 10; hidden and cell 20 a state.
    expect(of({})).toBe(100);
    // Outputs 4 instead of 10 (once a position, once a state), the projection's inputs 10.
    expect(of({ projectionSize: 4 })).toBe(40 + 4 + 10 + 2 * 14 + 10);
    expect(of({ coupledGates: true })).toBe(90);
    expect(of({ layerNorm: true })).toBe(100 + 2 * 40 + 10);
    expect(of({ zoneoutHidden: 0.1, zoneoutCell: 0.1 })).toBe(120);
  });

  it.each([
    [{ rows: 0, steps: 1 }, "rows is 0; it must be a whole number from 1"],
    [{ rows: 1, steps: 2.5 }, "steps is 2.5; it must be a whole number from 1"],
    [
      { rows: 1, steps: 1, optimizerSlots: -1 },
      "optimizerSlots is -1; it must be a whole number from 0",
    ],
  ])("refuses %o", (options, message) => {
    expect(() => modelSummary(languageModel, options)).toThrow(
      new LstmError("invalidSpec", `summary: ${message}`),
    );
  });
});

describe("formatSummary", () => {
  it("is a table with a line for each tensor", () => {
    const text = formatSummary(modelSummary(languageModel, { rows: 4, steps: 600 }));
    expect(text).toBe(`languageModel
layer      tensor  shape    parameters  activations
embedding  table   50 × 8          400       19,200
layers.0   kernel  18 × 40         720      192,080
           bias    40               40
layers.1   kernel  20 × 40         800      240,080
           bias    40               40
head       kernel  10 × 50         500            0
           bias    50               50
---------------------------------------------------
total                            2,550      451,360

memory of a training step with 4 rows × 600 steps:
  parameters       10.0 KiB
  optimizer state  19.9 KiB (2 × parameters)
  activations      1.7 MiB
  total            1.8 MiB
`);
  });
});
