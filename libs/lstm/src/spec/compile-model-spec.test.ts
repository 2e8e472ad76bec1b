import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { compileModelSpec } from "./compile-model-spec.js";

const KINDS = "'languageModel', 'sequenceModel' or 'encoderDecoder'";

const raw = {
  kind: "languageModel",
  vocabularySize: 88,
  embeddingSize: 16,
  cell: "lstm",
  hiddenSize: 32,
  numLayers: 2,
  dropout: 0.1,
  forgetBias: 1,
};

describe("compileModelSpec", () => {
  it("returns the spec as a frozen copy", () => {
    const spec = compileModelSpec(raw);
    expect(spec).toMatchObject(raw);
    expect(spec).not.toBe(raw);
    expect(spec).toSatisfy(Object.isFrozen);
  });

  it("reads what JSON made of a spec", () => {
    const spec = compileModelSpec(raw);
    expect(compileModelSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  it.each([
    ["hiddenSize", 0, "model.hiddenSize is 0; it must be a whole number from 1 to 65536"],
    ["hiddenSize", 1.5, "model.hiddenSize is 1.5; it must be a whole number from 1 to 65536"],
    ["hiddenSize", "32", 'model.hiddenSize is "32"; it must be a whole number from 1 to 65536'],
    [
      "embeddingSize",
      65_537,
      "model.embeddingSize is 65537; it must be a whole number from 1 to 65536",
    ],
    ["numLayers", 65, "model.numLayers is 65; it must be a whole number from 1 to 64"],
    [
      "vocabularySize",
      NaN,
      "model.vocabularySize is NaN; it must be a whole number from 1 to 2147483647",
    ],
    ["dropout", 1, "model.dropout is 1; it must be a number from 0 to below 1"],
    ["dropout", -0.1, "model.dropout is -0.1; it must be a number from 0 to below 1"],
    [
      "forgetBias",
      Infinity,
      "model.forgetBias is Infinity; it must be a number from -3.4e38 to 3.4e38",
    ],
    ["forgetBias", null, "model.forgetBias is null; it must be a number from -3.4e38 to 3.4e38"],
    ["cell", "GRU", `model.cell is "GRU"; it must be 'lstm', 'gru' or 'rnn'`],
    ["peephole", 1, "model.peephole is 1; it must be true or false"],
    ["projectionSize", 32, "model.projectionSize is 32; it must be below hiddenSize (32)"],
    [
      "tiedEmbedding",
      true,
      "model.tiedEmbedding is true; it needs an embeddingSize (16) equal to hiddenSize (32)",
    ],
    ["resetAfter", false, "model.resetAfter is false; it fits cell 'gru' only, not 'lstm'"],
    ["activation", "relu", `model.activation is "relu"; it fits cell 'rnn' only, not 'lstm'`],
    ["kind", ["x"], `model.kind is ["x"]; it must be ${KINDS}`],
    ["hiddenSize", 1n, "model.hiddenSize is 1n; it must be a whole number from 1 to 65536"],
    ["hiddenSize", [1n], "model.hiddenSize is object; it must be a whole number from 1 to 65536"],
    ["kind", undefined, `model.kind is undefined; it must be ${KINDS}`],
  ])("refuses %s %o", (key, value, message) => {
    expect(() => compileModelSpec({ ...raw, [key]: value })).toThrow(
      new LstmError("invalidSpec", message),
    );
  });

  it.each([
    [
      { kind: "crossEntropy", classWeights: [1, 2] },
      "model.loss.classWeights is [1,2]; it must have a weight for each of 3 classes, or be empty",
    ],
    [{ kind: "ctc", blankIndex: 3 }, "model.loss.blankIndex is 3; it must be a label from 0 to 2"],
  ])("refuses a loss that does not fit the targets: %o", (loss, message) => {
    const sequences = { kind: "sequenceModel", input: { kind: "values", size: 1 }, numTargets: 3 };
    expect(() => compileModelSpec({ ...sequences, loss })).toThrow(
      new LstmError("invalidSpec", message),
    );
  });

  it("fills in what is left out", () => {
    expect(compileModelSpec({ kind: "languageModel", vocabularySize: 2 })).toMatchObject({
      cell: "lstm",
      hiddenSize: 128,
      numLayers: 1,
      forgetBias: 1,
      dropout: 0,
      normalization: "none",
    });
  });

  it("takes embeddingDropout where tokens are embedded, and nowhere else", () => {
    const sequences = { kind: "sequenceModel", numTargets: 1, embeddingDropout: 0.1 } as const;
    const tokens = { kind: "tokens", vocabularySize: 3 };
    expect(compileModelSpec({ ...sequences, input: tokens })).toMatchObject({
      embeddingDropout: 0.1,
    });
    expect(() => compileModelSpec({ ...sequences, input: { kind: "values", size: 2 } })).toThrow(
      new LstmError(
        "invalidSpec",
        "model.embeddingDropout is 0.1; it must be 0 for inputs that are values, not tokens",
      ),
    );
  });

  it.each(["kind", "vocabularySize"])("refuses a spec without %s", (missing) => {
    const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => key !== missing));
    expect(() => compileModelSpec(rest)).toThrow(`model.${missing} is missing; it must be`);
  });

  it("refuses a key that it does not know, naming those it knows", () => {
    expect(() => compileModelSpec({ ...raw, hidenSize: 3 })).toThrow(
      "model.hidenSize is not a key of model (kind, embeddingSize, tiedEmbedding, ",
    );
  });

  it("names a key in one line, whatever is in it", () => {
    expect(() => compileModelSpec({ ...raw, "two\nlines": 3 })).toThrow(
      '"two\\nlines" is not a key of model',
    );
  });

  it("takes no value from a prototype", () => {
    expect(() => compileModelSpec(Object.create(raw))).toThrow("model.kind is missing");
  });

  it.each([undefined, null, 7, "x", [raw]])("refuses %o, which is no object", (value) => {
    expect(() => compileModelSpec(value)).toThrow("; it must be an object");
  });
});
