import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { compileOptimizerSpec } from "./compile-optimizer-spec.js";
import { parameterRuns } from "./parameter-groups.js";

const NAMES = ["embedding.table", "layers.0.kernel", "layers.0.bias", "head.kernel", "head.bias"];
const layout = {
  tensors: NAMES.map((name, i) => ({ name, shape: [2], offset: 2 * i, size: 2 })),
  size: 10,
};

const runsOf = (groups: readonly object[], isTensorwise = false) =>
  parameterRuns(compileOptimizerSpec({ weightDecay: 0.1, groups }), layout, isTensorwise);

describe("parameterRuns", () => {
  it("is one run without groups, or one a tensor", () => {
    expect(runsOf([])).toEqual([{ first: 0, end: 10, learningRateScale: 1, weightDecay: 0.1 }]);
    expect(runsOf([], true).map(({ first, end }) => [first, end])).toEqual([
      ...[
        [0, 2],
        [2, 4],
        [4, 6],
        [6, 8],
        [8, 10],
      ],
    ]);
  });

  it("gives a tensor the settings of the first group that matches, or the optimizer's own", () => {
    const runs = runsOf([
      { match: "*.bias", weightDecay: 0 },
      { match: "head.*", learningRateScale: 3 },
    ]);
    expect(runs).toEqual([
      { first: 0, end: 4, learningRateScale: 1, weightDecay: 0.1 },
      { first: 4, end: 6, learningRateScale: 1, weightDecay: 0 },
      { first: 6, end: 8, learningRateScale: 3, weightDecay: 0.1 },
      { first: 8, end: 10, learningRateScale: 1, weightDecay: 0 },
    ]);
  });

  it("joins neighbours of equal settings, whatever groups they have them from", () => {
    const runs = runsOf([
      { match: "*.table", weightDecay: 0 },
      { match: "layers.*", weightDecay: 0 },
    ]);
    expect(runs.map(({ first, end }) => [first, end])).toEqual([
      [0, 6],
      [6, 10],
    ]);
  });

  it("refuses a pattern that no tensor has, by its place", () => {
    expect(() => runsOf([{ match: "*" }, { match: "*.gain" }])).toThrow(
      new LstmError(
        "invalidOptimizer",
        `optimizer.groups[1].match is "*.gain"; it must match a tensor: ${NAMES.join(", ")}`,
      ),
    );
  });
});
