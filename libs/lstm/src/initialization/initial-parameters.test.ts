import { describe, expect, it } from "vitest";

import { parameterLayout, tensorView } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import { compileModelSpec } from "../spec/index.js";
import { initialParameters } from "./initial-parameters.js";

const spec = compileModelSpec({
  kind: "languageModel",
  vocabularySize: 60,
  embeddingSize: 24,
  cell: "lstm",
  hiddenSize: 64,
  numLayers: 2,
  dropout: 0,
  forgetBias: 1.5,
});

const tensor = (name: string, seed = 3): Float32Array =>
  tensorView(initialParameters(spec, seed), parameterLayout(spec), name);

const mean = (values: Float32Array): number =>
  values.reduce((sum, x) => sum + x, 0) / values.length;
const meanSquare = (values: Float32Array): number => mean(values.map((x) => x * x));

describe("initialParameters", () => {
  it("is a pure function of the spec and the seed", () => {
    expect(initialParameters(spec, 3)).toEqual(initialParameters(spec, 3));
    expect(initialParameters(spec, 3)).not.toEqual(initialParameters(spec, 4));
    expect(initialParameters(spec, 3)).toHaveLength(parameterLayout(spec).size);
  });

  // Uniform within ±b has the variance b²/3; 1/√64 = 1/8.
  it.each([
    ["embedding.table", Math.sqrt(3)],
    ["layers.0.kernel", 1 / 8],
    ["layers.1.kernel", 1 / 8],
    ["head.kernel", 1 / 8],
  ])("spreads %s evenly within ±%d", (name, bound) => {
    const values = tensor(name);
    const count = values.length;
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(bound));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-Math.fround(bound));
    // Four standard deviations of the mean (b/√(3n)) and of the mean square (2b²/√(45n)).
    expect(Math.abs(mean(values))).toBeLessThan((4 * bound) / Math.sqrt(3 * count));
    expect(Math.abs(meanSquare(values) - bound ** 2 / 3)).toBeLessThan(
      (8 * bound ** 2) / Math.sqrt(45 * count),
    );
  });

  it("starts from biases of zero, but for the forget gates", () => {
    // Columns in the order i, f, g, o.
    const expected = [0, 1.5, 0, 0].flatMap((value) => Array<number>(64).fill(value));
    expect([...tensor("layers.0.bias")]).toEqual(expected);
    expect([...tensor("layers.1.bias")]).toEqual(expected);
    expect(tensor("head.bias")).toEqual(new Float32Array(60));
  });

  it("draws each tensor from a stream of its own", () => {
    // In units of its bound, no tensor starts like another.
    const starts = [
      tensor("embedding.table")
        .slice(0, 8)
        .map((x) => x / Math.sqrt(3)),
      ...["layers.0.kernel", "layers.1.kernel", "head.kernel"].map((name) =>
        tensor(name)
          .slice(0, 8)
          .map((x) => x * 8),
      ),
    ];
    const rounded = starts.map((start) => [...start].map((x) => x.toFixed(5)).join());
    expect(new Set(rounded).size).toBe(4);
  });

  it("leaves the tensors that a spec keeps alone when it gets another layer", () => {
    const deeper = { ...spec, numLayers: 3 };
    const kept = tensorView(initialParameters(deeper, 3), parameterLayout(deeper), "head.kernel");
    expect(kept).toEqual(tensor("head.kernel"));
  });

  it("refuses a seed that is no 32-bit number", () => {
    expect(() => initialParameters(spec, 2 ** 32)).toThrow(LstmError);
    expect(() => initialParameters(spec, -1)).toThrow(LstmError);
  });
});

describe("initialParameters of an encoder–decoder", () => {
  const pairs = compileModelSpec({
    kind: "encoderDecoder",
    sourceVocabularySize: 20,
    targetVocabularySize: 20,
    startId: 1,
    endId: 2,
    embeddingSize: 6,
    hiddenSize: 6,
    bidirectionalEncoder: true,
    forgetBias: 1.5,
  });
  const of = (name: string): number[] => [
    ...tensorView(initialParameters(pairs, 3), parameterLayout(pairs), name),
  ];

  it("opens the forget gates of both stacks, whose directions have half of the units", () => {
    const gates = (size: number): number[] =>
      [0, 1.5, 0, 0].flatMap((value) => Array<number>(size).fill(value));
    expect(of("encoder.layers.0.forward.bias")).toEqual(gates(3));
    expect(of("encoder.layers.0.backward.bias")).toEqual(gates(3));
    expect(of("decoder.layers.0.bias")).toEqual(gates(6));
    expect(of("attention.combine.bias")).toEqual(Array<number>(6).fill(0));
  });

  it("draws each tensor from a stream of its own", () => {
    const drawn = parameterLayout(pairs).tensors.filter(({ name }) => !name.endsWith("bias"));
    const starts = drawn.map(({ name }) => {
      const [first = 0, second = 0] = of(name);
      return (first / second).toFixed(4);
    });
    expect(new Set(starts).size).toBe(drawn.length);
    expect(drawn.map(({ name }) => name)).toContain("attention.score");
  });
});
