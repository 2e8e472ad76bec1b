import { describe, expect, it } from "vitest";

import { readRunSettings } from "./run-settings.js";

const config = {
  name: "moby",
  seed: 7,
  training: { epochs: 1, batchSize: 32, sequenceLength: 64, microShards: 8 },
  evaluation: { everySteps: null, batchSize: 16, final: true },
  numerics: { backend: "auto", gradients: "float32", gradientLeaves: null },
};

describe("readRunSettings", () => {
  it("picks what a worker computes by", () => {
    expect(readRunSettings(JSON.stringify(config))).toEqual({
      seed: 7,
      batchSize: 32,
      sequenceLength: 64,
      microShards: 8,
      evaluationBatchSize: 16,
      roundedLeaves: undefined,
    });
  });

  it.each([
    [null, 1],
    [4, 4],
  ])("knows where gradients are rounded: %j", (gradientLeaves, expected) => {
    const numerics = { gradients: "bfloat16", gradientLeaves };
    const settings = readRunSettings(JSON.stringify({ ...config, numerics }));
    expect(settings.roundedLeaves).toBe(expected);
  });

  it.each([
    ["no JSON", "{", /run config is no JSON/],
    ["null", "null", /seed is undefined/],
    ["a missing room", JSON.stringify({ ...config, training: undefined }), /training\.batchSize/],
    [
      "a fraction",
      JSON.stringify({ ...config, evaluation: { batchSize: 1.5 } }),
      /evaluation\.batchSize is 1\.5, not an integer of at least 1/,
    ],
    [
      "gradients of another kind",
      JSON.stringify({ ...config, numerics: { gradients: "float16" } }),
      /numerics\.gradients is "float16", not float32 or bfloat16/,
    ],
    [
      "rounding at no leaf",
      JSON.stringify({ ...config, numerics: { gradients: "bfloat16", gradientLeaves: 0 } }),
      /numerics\.gradientLeaves is 0, not an integer of at least 1/,
    ],
    ["no numerics", JSON.stringify({ ...config, numerics: null }), /gradients is undefined/],
    ["rooms that are null", '{"seed":1,"training":null}', /training\.batchSize is undefined/],
    [
      "a string",
      JSON.stringify({ ...config, seed: "7" }),
      /seed is "7", not an integer of at least 0/,
    ],
  ])("refuses %s, naming what is wrong", (_, json, message) => {
    expect(() => readRunSettings(json)).toThrow(message);
    expect(() => readRunSettings(json)).toThrow(expect.objectContaining({ code: "refused" }));
  });
});
