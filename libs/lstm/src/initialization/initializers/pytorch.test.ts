import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import type { RandomKey } from "../../random/index.js";
import {
  calculateGain,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  normal,
  uniform,
} from "./index.js";
import type { GlorotOptions, HeOptions, Nonlinearity, Shape } from "./index.js";
import { orthogonalized } from "./orthogonal.js";

type Entry =
  | ({ readonly kind: "glorotUniform" | "glorotNormal" } & GlorotOptions)
  | ({ readonly kind: "heUniform" | "heNormal" } & HeOptions)
  | { readonly kind: "lecunUniform" | "lecunNormal" };
interface Fixture {
  readonly gains: readonly {
    readonly nonlinearity: Nonlinearity;
    readonly slope: number | null;
    readonly gain: number;
  }[];
  readonly scaled: readonly {
    readonly shape: Shape;
    readonly entry: Entry;
    readonly range?: number;
    readonly std?: number;
  }[];
  readonly orthogonal: readonly {
    readonly shape: Shape;
    readonly gain: number;
    readonly matrix: readonly number[];
    readonly weight: readonly number[];
  }[];
  readonly eye: readonly { readonly shape: Shape; readonly values: readonly number[] }[];
}
const file = new URL("../../../fixtures/initializers.json", import.meta.url);
const fixture = JSON.parse(await readFile(file, "utf8")) as Fixture;

const key: RandomKey = { seed: 1, step: 0, purpose: "tensorInitialization", layer: 2 };

function drawn(shape: Shape, entry: Entry): Float32Array {
  switch (entry.kind) {
    case "glorotUniform":
      return glorotUniform(shape, key, entry);
    case "glorotNormal":
      return glorotNormal(shape, key, entry);
    case "heUniform":
      return heUniform(shape, key, entry);
    case "heNormal":
      return heNormal(shape, key, entry);
    case "lecunUniform":
      return lecunUniform(shape, key);
    case "lecunNormal":
      return lecunNormal(shape, key);
  }
}

describe("PyTorch's initializers", () => {
  it("have the same gains", () => {
    expect(fixture.gains).toHaveLength(7);
    for (const { nonlinearity, slope, gain } of fixture.gains) {
      expect(calculateGain(nonlinearity, slope ?? undefined), nonlinearity).toBeCloseTo(gain, 15);
    }
  });

  it("draw from distributions of the same width", () => {
    expect(fixture.scaled.length).toBeGreaterThan(100);
    for (const { shape, entry, range, std } of fixture.scaled) {
      const standard =
        range === undefined
          ? normal(shape, key, { mean: 0, std: 1 })
          : uniform(shape, key, { range: 1 });
      const width = range ?? std ?? NaN;
      const relativeErrors = drawn(shape, entry).map((value, i) => {
        return Math.abs(value / (width * (standard[i] ?? NaN)) - 1);
      });
      const largest = relativeErrors.reduce((most, error) => Math.max(most, error), 0);
      expect(largest, JSON.stringify({ shape, entry })).toBeLessThan(3e-7);
    }
  });

  it("make the same orthogonal matrix of the same normal deviates", () => {
    for (const { shape, gain, matrix, weight } of fixture.orthogonal) {
      const ours = orthogonalized(matrix, shape);
      expect(ours).toHaveLength(weight.length);
      for (const [i, value] of ours.entries()) {
        expect(Math.abs(gain * value - (weight[i] ?? NaN)), `${shape.join()} ${i}`).toBeLessThan(
          1e-12,
        );
      }
    }
  });

  it("have the same identity, of matrices that are not square too", () => {
    for (const { shape, values } of fixture.eye) {
      expect([...identity(shape, { scale: 1 })]).toEqual(values);
      expect([...identity(shape, { scale: 0.5 })]).toEqual(values.map((value) => value / 2));
    }
  });
});
