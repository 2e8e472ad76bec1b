import { describe, expect, it } from "vitest";
import { NormReference } from "./norm-reference.js";
import type { NodeNorm } from "./norm-reference.js";

const node = (norm: number, weight = 1): NodeNorm => ({ norm, weight });

/** Steps of four nodes with norms near 1. */
function referenceOf(steps = 8, level = 1): NormReference {
  const reference = new NormReference();
  for (let step = 0; step < steps; step++) {
    reference.commit([0.8, 0.9, 1.1, 1.3].map((norm) => node(norm * level)));
  }
  return reference;
}

describe("a norm", () => {
  it("is far from the history beyond eight times the usual, either way", () => {
    const reference = referenceOf();
    for (const norm of [7.9, 0.13]) expect(reference.isFarFromHistory(node(norm))).toBe(false);
    for (const norm of [8.1, 0.12, 1e6, 0]) {
      expect(reference.isFarFromHistory(node(norm))).toBe(true);
    }
    expect(new NormReference().isFarFromHistory(node(1))).toBeUndefined();
  });

  it("is an outlier where it is far from the history and from its peers", () => {
    const reference = referenceOf();
    const peers = [node(1), node(1.2)];
    expect(reference.isOutlier(node(1e6), peers)).toBe(true);
    expect(reference.isOutlier(node(2), peers)).toBe(false);
    // Its peers are off, not this one.
    expect(reference.isOutlier(node(1), [node(1e6)])).toBe(false);
  });

  it("is none when all of the step's norms grow or shrink", () => {
    const reference = referenceOf();
    for (const level of [1e3, 1e-3]) {
      expect(reference.isOutlier(node(level), [node(0.9 * level), node(1.3 * level)])).toBe(false);
    }
  });

  it("is judged by its peers alone in the first step, and not at all when it has none", () => {
    const reference = new NormReference();
    expect(reference.isOutlier(node(1e6), [node(1), node(1.1)])).toBe(true);
    expect(reference.isOutlier(node(1), [node(1.1)])).toBe(false);
    expect(reference.isOutlier(node(1e6), [])).toBe(false);
  });

  it("of one worker alone is judged by the history; a new level is one only once", () => {
    const reference = referenceOf();
    expect(reference.isOutlier(node(100), [])).toBe(true);
    reference.commit([node(100)]);
    expect(reference.isOutlier(node(110), [])).toBe(false);
    expect(reference.isOutlier(node(1), [])).toBe(false);
  });

  it("may differ more where norms always did", () => {
    const reference = new NormReference();
    for (let step = 0; step < 9; step++) reference.commit([node(10 ** (step % 3))]);
    // The median is 10, the median distance from it a factor of 10: 6 · 1.4826 times that, in powers of
    // ten, is allowed, up to 10^9.9.
    expect(reference.isFarFromHistory(node(1e8))).toBe(false);
    expect(reference.isFarFromHistory(node(1e11))).toBe(true);
  });

  it("is taken per loss weight, and between nodes of different weight with room for noise", () => {
    const reference = new NormReference();
    // Nodes of weight 16 whose terms agree: 16 times the norm of one of weight 1.
    for (let step = 0; step < 4; step++) reference.commit([node(16, 16)]);
    expect(reference.isFarFromHistory(node(1, 1))).toBe(false);
    // Where terms are noise, a sum of 16 has 4 times the norm: per weight the single one has 4 times as much.
    // That leaves the factor 8 on top of √16 = 4.
    expect(reference.isFarFromHistory(node(31, 1))).toBe(false);
    expect(reference.isFarFromHistory(node(33, 1))).toBe(true);
  });

  it("of a node without loss terms is far as soon as it is not zero", () => {
    const reference = referenceOf();
    expect(reference.isOutlier(node(0, 0), [node(1)])).toBe(false);
    expect(reference.isOutlier(node(1e-9, 0), [node(1)])).toBe(true);
    // And it is no measure for others.
    reference.commit([node(0, 0)]);
    expect(reference.isFarFromHistory(node(1))).toBe(false);
  });

  it("of zeros is like others of zeros", () => {
    const reference = new NormReference();
    for (let step = 0; step < 3; step++) reference.commit([node(0), node(0)]);
    expect(reference.isOutlier(node(0), [node(0)])).toBe(false);
    expect(reference.isOutlier(node(1), [node(0)])).toBe(true);
  });

  it("is so many times the usual, of its peers if it has any", () => {
    const reference = referenceOf();
    expect(reference.timesUsual(node(50), [node(2), node(2)])).toBeCloseTo(25);
    expect(reference.timesUsual(node(50), [])).toBeCloseTo(50, 0);
    expect(new NormReference().timesUsual(node(1), [])).toBeNaN();
  });
});
