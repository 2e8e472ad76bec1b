import { describe, expect, it } from "vitest";

import { roundedLeaves } from "./rounded-leaves.js";

describe("roundedLeaves", () => {
  it("is nothing where gradients are float32", () => {
    const numerics = { gradients: "float32", gradientLeaves: null } as const;
    expect(roundedLeaves({ numerics, training: { microShards: 64 } })).toBeUndefined();
  });

  it.each([
    [1, 1],
    [4, 1],
    [8, 1],
    [16, 2],
    [1024, 128],
  ])("leaves of %i micro-shards eight nodes at most: %i leaves", (microShards, expected) => {
    const numerics = { gradients: "bfloat16", gradientLeaves: null } as const;
    expect(roundedLeaves({ numerics, training: { microShards } })).toBe(expected);
  });

  it("is what the config says", () => {
    const numerics = { gradients: "bfloat16", gradientLeaves: 16 } as const;
    expect(roundedLeaves({ numerics, training: { microShards: 32 } })).toBe(16);
  });
});
