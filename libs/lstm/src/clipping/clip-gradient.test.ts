import { readFile } from "node:fs/promises";

import { sumOfSquares } from "@ostinato/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compileKeys } from "../keys/index.js";
import type { ParameterLayout } from "../layout/index.js";
import { clippingSchema } from "./clipping-keys.js";
import type { ClippingSpec } from "./clipping-keys.js";
import { createClipping } from "./clip-gradient.js";
import { layersOf } from "./layer-norm.js";

/** Made by tools/make-clipping-fixtures.py. */
interface Fixture {
  readonly torch: string;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly norm: number;
  readonly parameters: readonly number[];
  /** The average. */
  readonly gradient: readonly number[];
  readonly cases: readonly {
    readonly spec: ClippingSpec;
    readonly clipped: boolean;
    readonly gradient: readonly number[];
  }[];
}
const file = new URL("../../fixtures/clipping.json", import.meta.url);
const fixture = JSON.parse(await readFile(file, "utf8")) as Fixture;

function layoutOf(tensors: Fixture["tensors"]): ParameterLayout {
  let size = 0;
  const placed = tensors.map(({ name, shape }) => {
    const tensor = { name, shape, offset: size, size: shape.reduce((a, b) => a * b, 1) };
    size += tensor.size;
    return tensor;
  });
  return { tensors: placed, size };
}

interface Clipped {
  readonly average: Float32Array;
  readonly clipped: boolean;
}

/** Clips the sum of losses of that weight; the result as an array of its own. */
function clip(
  spec: ClippingSpec,
  layout: ParameterLayout,
  given: { gradient: Float32Array; parameters: Float32Array; lossWeight: number },
): Clipped {
  const norm = Math.sqrt(sumOfSquares(given.gradient)) / given.lossWeight;
  const memory = new Float32Array(layout.size);
  const before = given.gradient.slice();
  const result = createClipping(spec, layout)({ ...given, norm, scratch: () => memory });
  expect(given.gradient).toEqual(before);
  const scale = Math.fround(result.scale);
  return { average: result.gradient.map((g) => g * scale), clipped: result.clipped };
}

const layout = layoutOf(fixture.tensors);
const LOSS_WEIGHT = 37;

describe(`clipping as in PyTorch ${fixture.torch}`, () => {
  const gradient = Float32Array.from(fixture.gradient, (value) => value * LOSS_WEIGHT);
  const parameters = Float32Array.from(fixture.parameters);

  it.each(fixture.cases)("$spec", ({ spec, clipped, gradient: expected }) => {
    const found = clip(spec, layout, { gradient, parameters, lossWeight: LOSS_WEIGHT });
    expect(found.clipped).toBe(clipped);
    for (const [i, value] of expected.entries()) {
      const error = Math.abs(found.average[i]! - value);
      expect(error, `value ${i}`).toBeLessThanOrEqual(1e-6 * Math.abs(value));
    }
  });

  it("has cases of every kind, some of which clip and some of which do not", () => {
    const seen = fixture.cases.map(({ spec, clipped }) => `${spec.kind} ${clipped}`);
    const kinds = ["globalNorm", "value", "layer", "adaptive"];
    const both = kinds.flatMap((kind) => [`${kind} true`, `${kind} false`]);
    expect(new Set(seen)).toEqual(new Set(["none false", ...both]));
  });
});

describe("createClipping", () => {
  const pair = layoutOf([{ name: "all", shape: [2] }]);
  const given = { gradient: Float32Array.of(30, 40), parameters: Float32Array.of(0, 0) };

  it("averages and clips with one factor by the global norm", () => {
    // (30, 40) over 10 averages to (3, 4), of norm 5. As torch.nn.utils.clip_grad_norm_: 2 / (5 + 1e-6).
    const clipTo = createClipping({ kind: "globalNorm", maxNorm: 2 }, pair);
    const scratch = (): Float32Array => expect.unreachable("no memory is needed");
    const result = clipTo({ ...given, lossWeight: 10, norm: 5, scratch });
    expect(result.gradient).toBe(given.gradient);
    expect(result.clipped).toBe(true);
    expect(result.scale).toBeCloseTo(2 / 5.000001 / 10, 15);
  });

  it("clips a norm within 1e-6 of the maximum, as PyTorch does, and scales nothing up", () => {
    const at = (maxNorm: number): Clipped =>
      clip({ kind: "globalNorm", maxNorm }, pair, { ...given, lossWeight: 10 });
    expect(at(5).clipped).toBe(true);
    expect(at(5.000002)).toEqual({ average: Float32Array.of(3, 4), clipped: false });
  });

  it("has for one layer the bits of the global norm", () => {
    const values = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), {
      minLength: 1,
      maxLength: 20,
    });
    const bound = fc.double({ min: 0.01, max: 1000, noNaN: true });
    fc.assert(
      fc.property(values, bound, fc.integer({ min: 1, max: 99 }), (some, maxNorm, lossWeight) => {
        const one = layoutOf([{ name: "layers.0.kernel", shape: [some.length] }]);
        const gradient = Float32Array.from(some);
        const request = { gradient, parameters: gradient, lossWeight };
        const byLayer = clip({ kind: "layer", maxNorm }, one, request);
        expect(byLayer).toEqual(clip({ kind: "globalNorm", maxNorm }, one, request));
      }),
    );
  });

  it("takes a column of a kernel for a unit, and a vector as a whole", () => {
    // Columns (3, 4) and (0.3, 0.4) of weights of norm 1 each: λ = 1 leaves the second as it is.
    const two = layoutOf([
      { name: "kernel", shape: [2, 2] },
      { name: "bias", shape: [2] },
    ]);
    const gradient = Float32Array.of(3, 0.3, 4, 0.4, 0.6, 0.8);
    const parameters = Float32Array.of(1, 0, 0, 1, 0.5, 0);
    const spec = { kind: "adaptive", maxRatio: 1, epsilon: 1e-3 } as const;
    const { average } = clip(spec, two, { gradient, parameters, lossWeight: 1 });
    const expected = [0.6, 0.3, 0.8, 0.4, 0.3, 0.4];
    for (const [i, value] of expected.entries()) expect(average[i]).toBeCloseTo(value, 6);
  });
});

describe("layersOf", () => {
  it("takes names up to their first number, or up to their last part", () => {
    const names = [
      ...["embedding.table", "layers.0.forward.kernel", "layers.1.kernel", "layers.0.norm.gain"],
      ...["encoder.layers.0.bias", "head.kernel", "head.bias", "attention.query.kernel"],
    ];
    const named = layoutOf(names.map((name) => ({ name, shape: [1] })));
    expect(layersOf(named).map((layer) => layer.map(({ name }) => name))).toEqual([
      ["embedding.table"],
      ["layers.0.forward.kernel", "layers.0.norm.gain"],
      ["layers.1.kernel"],
      ["encoder.layers.0.bias"],
      ["head.kernel", "head.bias"],
      ["attention.query.kernel"],
    ]);
  });
});

describe("clippingSchema", () => {
  const compile = (raw: unknown): unknown =>
    compileKeys(clippingSchema, raw, { code: "invalidClipping", group: "clipping" });

  it.each([
    [
      { kind: "norm" },
      "clipping.kind is \"norm\"; it must be 'none', 'globalNorm', 'value', 'layer' or 'adaptive'",
    ],
    [{ maxNorm: -1 }, "clipping.maxNorm is -1; it must be a number above 0 and up to 3.4e38"],
    [
      { kind: "adaptive", maxRatio: 0 },
      "clipping.maxRatio is 0; it must be a number above 0 and up to 3.4e38",
    ],
    [{ kind: "value", maxNorm: 1 }, "clipping.maxNorm is not a key of clipping (kind, maxValue)"],
  ])("refuses %o", (raw, message) => {
    expect(() => compile(raw)).toThrow(message);
  });
});
