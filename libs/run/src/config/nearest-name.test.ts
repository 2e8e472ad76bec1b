import { describe, expect, it } from "vitest";

import { nearestName } from "./nearest-name.js";

describe("nearestName", () => {
  it.each([
    ["epoch", ["batchSize", "epochs"], "epochs"],
    ["hiddensize", ["embeddingSize", "hiddenSize"], "hiddenSize"],
    ["leraningRate", ["learningRate", "clipping"], "learningRate"],
    ["sed", ["seed", "name"], "seed"],
  ])("takes %s for one of %j", (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });

  it("has no answer where nothing is near", () => {
    expect(nearestName("folder", ["everySteps", "keep"])).toBeUndefined();
    expect(nearestName("x", [])).toBeUndefined();
  });
});
