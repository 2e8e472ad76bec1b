import { describe, expect, it } from "vitest";

import { compileModelSpec } from "../spec/index.js";
import {
  initialStatistics,
  statisticsAfterStep,
  statisticsLayout,
  updateStatistics,
} from "./running-statistics.js";

const specOf = (changes: object): ReturnType<typeof compileModelSpec> =>
  compileModelSpec({ kind: "languageModel", vocabularySize: 5, hiddenSize: 2, ...changes });

const moments = (
  count: number,
  mean: readonly number[],
  m2: readonly number[],
): Parameters<typeof updateStatistics>[2][number] => ({
  count,
  mean: Float64Array.from(mean),
  m2: Float64Array.from(m2),
});

describe("running statistics", () => {
  it("are a mean and a variance for each unit that batch normalization normalizes", () => {
    expect(statisticsLayout(specOf({ normalization: "batch", numLayers: 2 }))).toEqual({
      entries: [
        { name: "layers.0.norm", size: 2, offset: 0 },
        { name: "layers.1.norm", size: 2, offset: 4 },
      ],
      size: 8,
    });
    // Of the projection's outputs, since those are normalized.
    expect(statisticsLayout(specOf({ normalization: "batch", projectionSize: 1 })).size).toBe(2);
    expect(statisticsLayout(specOf({ normalization: "layer" }))).toEqual({ entries: [], size: 0 });
  });

  it("start from means of 0 and variances of 1", () => {
    const layout = statisticsLayout(specOf({ normalization: "batch", numLayers: 2 }));
    expect([...initialStatistics(layout)]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
  });

  // As torch.nn.BatchNorm1d(1) does with 1, 2, 6 (mean 3, squared distances 14) and then 5, 9 (7 and 8):
  // mean 0.1·3 = 0.3, then 0.9·0.3 + 0.1·7 = 0.97;
  // variance 0.9 + 0.1·14/2 = 1.6, then 0.9·1.6 + 0.1·8/1 = 2.24.
  it("take a tenth of each step's mean and unbiased variance", () => {
    const layout = statisticsLayout(specOf({ normalization: "batch", hiddenSize: 2 }));
    const start = initialStatistics(layout);
    const first = updateStatistics(layout, start, [moments(3, [3, 0], [14, 0])]);
    expect(first[0]).toBeCloseTo(0.3, 15);
    expect(first[2]).toBeCloseTo(1.6, 15);
    const second = updateStatistics(layout, first, [moments(2, [7, 0], [8, 0])]);
    expect(second[0]).toBeCloseTo(0.97, 15);
    expect(second[2]).toBeCloseTo(2.24, 15);
    // The other unit: a mean of 0, and variances of 0.
    expect(second[1]).toBe(0);
    expect(second[3]).toBeCloseTo(0.81, 15);
    expect([...start]).toEqual([0, 0, 1, 1]);
  });

  it("keep what they were where a step has no values", () => {
    const layout = statisticsLayout(specOf({ normalization: "batch" }));
    const before = Float64Array.of(0.1, 0.2, 0.3, 0.4);
    expect(updateStatistics(layout, before, [moments(0, [9, 9], [9, 9])])).toEqual(before);
  });

  // 1, 2 and 6 again, on two leaves: means 1.5 and 6, squared distances 0.5 and 0.
  it("take in the leaves of a step as if one had computed all of it", () => {
    const layout = statisticsLayout(specOf({ normalization: "batch", projectionSize: 1 }));
    const leaves = [[moments(2, [1.5], [0.5])], [moments(1, [6], [0])]];
    const after = statisticsAfterStep(layout, initialStatistics(layout), leaves);
    expect(after[0]).toBeCloseTo(0.3, 15);
    expect(after[1]).toBeCloseTo(1.6, 15);
  });

  it("take a variance of 0 from a single value", () => {
    const layout = statisticsLayout(specOf({ normalization: "batch" }));
    const after = updateStatistics(layout, initialStatistics(layout), [moments(1, [2, 4], [0, 0])]);
    expect([...after]).toEqual([0.2, 0.4, 0.9, 0.9]);
  });

  it.each([
    [[], "there are moments of 0 normalizations; the model has 1"],
    [[moments(1, [1], [0])], "moments of layers.0.norm have 1 columns; it has 2"],
  ])("refuse moments of another model", (wrong, message) => {
    const layout = statisticsLayout(specOf({ normalization: "batch" }));
    expect(() => updateStatistics(layout, initialStatistics(layout), wrong)).toThrow(
      expect.objectContaining({ code: "invalidStatistics", message }),
    );
  });
});
