import fc from "fast-check";
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

  it("takes or refuses in one line whatever a coordinator sends", () => {
    const value = fc.oneof(
      fc.constantFrom(0, 1, 4, 2 ** 53, -1, 0.5, null, "float32", "bfloat16", "\u2028"),
      fc.string({ unit: "binary", maxLength: 3000 }),
      fc.jsonValue(),
    );
    // The right one with one value put in another's place, at any depth; and anything at all.
    const places = [
      ...["seed", "training", "evaluation", "numerics", "training.batchSize"],
      ...["training.sequenceLength", "training.microShards", "evaluation.batchSize"],
      ...["numerics.gradients", "numerics.gradientLeaves"],
    ];
    const changed = fc.tuple(fc.constantFrom(...places), value).map(([place, put]) => {
      const [key = "", inner] = place.split(".");
      const room = config[key as keyof typeof config];
      const rooms = inner === undefined ? put : { ...(room as object), [inner]: put };
      return JSON.stringify({ ...config, [key]: rooms });
    });
    const sent = fc.oneof(
      changed,
      value.map((bare) => JSON.stringify(bare)),
      fc.string({ maxLength: 3000 }),
    );
    let numTaken = 0;
    fc.assert(
      fc.property(sent, (json) => {
        try {
          const { seed, batchSize } = readRunSettings(json);
          expect(Number.isSafeInteger(seed) && batchSize >= 1).toBe(true);
          numTaken += 1;
        } catch (error) {
          expect(error).toMatchObject({ name: "WorkerError", code: "refused" });
          const { message } = error as Error;
          expect(message.length).toBeLessThanOrEqual(1024);
          expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        }
      }),
      { numRuns: 3000, seed: 1 },
    );
    expect(numTaken).toBeGreaterThan(0);
  });
});
