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
