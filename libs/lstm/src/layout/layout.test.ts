import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { compileModelSpec } from "../spec/index.js";
import { parameterLayout, stateShape, tensorView } from "./index.js";

const spec = compileModelSpec({
  kind: "languageModel",
  vocabularySize: 7,
  embeddingSize: 3,
  cell: "lstm",
  hiddenSize: 5,
  numLayers: 2,
  dropout: 0,
  forgetBias: 1,
});

const anySpec = fc
  .record({
    vocabularySize: fc.integer({ min: 1, max: 50 }),
    embeddingSize: fc.integer({ min: 1, max: 20 }),
    hiddenSize: fc.integer({ min: 1, max: 20 }),
    numLayers: fc.integer({ min: 1, max: 5 }),
  })
  .map((sizes) => ({ ...spec, ...sizes }));

describe("parameterLayout", () => {
  it("lists the tensors of the forward pass with the shapes of the contract", () => {
    // V = 7, E = 3, H = 5: kernels are [E + H, 4H] = [8, 20] and [H + H, 4H] = [10, 20].
    expect(parameterLayout(spec)).toEqual({
      tensors: [
        { name: "embedding.table", shape: [7, 3], offset: 0, size: 21 },
        { name: "layers.0.kernel", shape: [8, 20], offset: 21, size: 160 },
        { name: "layers.0.bias", shape: [20], offset: 181, size: 20 },
        { name: "layers.1.kernel", shape: [10, 20], offset: 201, size: 200 },
        { name: "layers.1.bias", shape: [20], offset: 401, size: 20 },
        { name: "head.kernel", shape: [5, 7], offset: 421, size: 35 },
        { name: "head.bias", shape: [7], offset: 456, size: 7 },
      ],
      size: 463,
    });
  });

  it("lists both sides of an encoder–decoder, then its attention and head", () => {
    const shapes = (changes: Readonly<Record<string, unknown>>): (readonly [string, string])[] => {
      const pairs = compileModelSpec({
        kind: "encoderDecoder",
        sourceVocabularySize: 7,
        targetVocabularySize: 9,
        startId: 0,
        endId: 1,
        embeddingSize: 3,
        ...changes,
      });
      return parameterLayout(pairs).tensors.map(({ name, shape }) => [name, shape.join(" × ")]);
    };
    // Directions of three units, I + H = 3 + 3; the decoder's I + H = 3 + 6; S = R = 6.
    const additive = { hiddenSize: 6, normalization: "batch", bidirectionalEncoder: true };
    expect(shapes(additive)).toEqual([
      ["encoder.embedding.table", "7 × 3"],
      ["encoder.layers.0.forward.kernel", "6 × 12"],
      ["encoder.layers.0.forward.bias", "12"],
      ["encoder.layers.0.backward.kernel", "6 × 12"],
      ["encoder.layers.0.backward.bias", "12"],
      ["encoder.layers.0.norm.gain", "6"],
      ["encoder.layers.0.norm.bias", "6"],
      ["decoder.embedding.table", "9 × 3"],
      ["decoder.layers.0.kernel", "9 × 24"],
      ["decoder.layers.0.bias", "24"],
      ["decoder.layers.0.norm.gain", "6"],
      ["decoder.layers.0.norm.bias", "6"],
      ["attention.query", "6 × 6"],
      ["attention.memory", "6 × 6"],
      ["attention.score", "6"],
      ["attention.combine.kernel", "12 × 6"],
      ["attention.combine.bias", "6"],
      ["head.kernel", "6 × 9"],
      ["head.bias", "9"],
    ]);
    // With a projection to R = 3 of both stacks.
    const multiplicative = { hiddenSize: 5, projectionSize: 3, attention: "multiplicative" };
    expect(shapes({ ...multiplicative, tiedEmbedding: true })).toEqual([
      ["encoder.embedding.table", "7 × 3"],
      ["encoder.layers.0.kernel", "6 × 20"],
      ["encoder.layers.0.bias", "20"],
      ["encoder.layers.0.projection", "5 × 3"],
      ["decoder.embedding.table", "9 × 3"],
      ["decoder.layers.0.kernel", "6 × 20"],
      ["decoder.layers.0.bias", "20"],
      ["decoder.layers.0.projection", "5 × 3"],
      ["attention.kernel", "3 × 3"],
      ["attention.combine.kernel", "6 × 3"],
      ["attention.combine.bias", "3"],
      ["head.bias", "9"],
    ]);
  });

  it("has as many values as the formulas of the layers say, without gaps", () => {
    fc.assert(
      fc.property(anySpec, (given) => {
        const { vocabularySize: V, embeddingSize: E, hiddenSize: H, numLayers: L } = given;
        const { tensors, size } = parameterLayout(given);
        expect(size).toBe(
          V * E + 4 * H * (E + H + 1) + (L - 1) * 4 * H * (2 * H + 1) + V * (H + 1),
        );
        let end = 0;
        for (const tensor of tensors) {
          expect(tensor.offset).toBe(end);
          end += tensor.size;
        }
        expect(end).toBe(size);
      }),
    );
  });

  it("refuses more parameters than can be addressed", () => {
    expect(() => parameterLayout({ ...spec, hiddenSize: 65_536, numLayers: 2 })).toThrow(LstmError);
  });
});

describe("tensorView", () => {
  it("is the memory of the flat buffer", () => {
    const layout = parameterLayout(spec);
    const flat = new Float32Array(layout.size);
    const bias = tensorView(flat, layout, "head.bias");
    bias.fill(2);
    expect(flat.findIndex((value) => value === 2)).toBe(456);
    expect(bias.length).toBe(7);
  });

  it("refuses a name that the layout lacks and a buffer of another size", () => {
    const layout = parameterLayout({ ...spec, numLayers: 1 });
    expect(() => tensorView(new Float32Array(layout.size), layout, "layers.1.bias")).toThrow(
      new RangeError(
        "there is no tensor layers.1.bias; the layout has embedding.table, layers.0.kernel, " +
          "layers.0.bias, head.kernel, head.bias",
      ),
    );
    expect(() => tensorView(new Float32Array(5), layout, "head.bias")).toThrow(
      new RangeError(`the buffer has 5 values; the layout has ${layout.size}`),
    );
  });
});

describe("stateShape", () => {
  it("has a hidden and a cell state of each layer", () => {
    expect(stateShape(spec)).toEqual({ valuesPerRow: 2 * 2 * 5 });
  });
});
