import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../../lstm-error.js";
import { sampleToken } from "./sampling.js";

const none = new Set<number>();
/** Probabilities 0.5, 0.3, 0.15 and 0.05, at temperature 1. */
const logits = Float32Array.from([0.15, 0.5, 0.05, 0.3], Math.log);

describe("sampleToken", () => {
  it("takes the most likely token at temperature 0, the first of equals", () => {
    const options = { temperature: 0, topP: 1, excluded: none };
    expect(sampleToken(logits, options, 0.99)).toBe(1);
    expect(sampleToken(Float32Array.of(1, 3, 3), options, 0.99)).toBe(1);
  });

  it("walks down the probabilities by the draw", () => {
    const options = { temperature: 1, topP: 1, excluded: none };
    // Cumulated: token 1 to 0.5, token 3 to 0.8, token 0 to 0.95, token 2 to 1.
    expect(
      [0, 0.49, 0.51, 0.79, 0.81, 0.94, 0.96].map((draw) => sampleToken(logits, options, draw)),
    ).toEqual([1, 1, 3, 3, 0, 0, 2]);
  });

  it("sharpens with a low temperature and flattens with a high one", () => {
    // Temperature ½ squares the probabilities: 0.25 : 0.09 : 0.0225 : 0.0025, of 0.365 together.
    const share = 0.25 / 0.365;
    const cold = { temperature: 0.5, topP: 1, excluded: none };
    expect(sampleToken(logits, cold, share - 0.001)).toBe(1);
    expect(sampleToken(logits, cold, share + 0.001)).toBe(3);
    // Temperature 1000: four nearly equal ones.
    const hot = { temperature: 1000, topP: 1, excluded: none };
    expect([0.2, 0.4, 0.6, 0.9].map((draw) => sampleToken(logits, hot, draw))).toEqual([
      1, 3, 0, 2,
    ]);
  });

  it("draws from the smallest nucleus that holds topP", () => {
    // 0.5 + 0.3 reach 0.6; token 3 has 0.3 / 0.8 of that nucleus.
    const options = { temperature: 1, topP: 0.6, excluded: none };
    expect([0.6, 0.63, 0.999].map((draw) => sampleToken(logits, options, draw))).toEqual([1, 3, 3]);
    // A tiny topP is greedy.
    expect(sampleToken(logits, { ...options, topP: 1e-9 }, 0.999)).toBe(1);
  });

  it.each([0, 1])(
    "draws nothing from logits that are not finite at temperature %d",
    (temperature) => {
      const options = { temperature, topP: 1, excluded: new Set([3]) };
      for (const [values, token, logit] of [
        [[1, NaN, 2, 0], 1, "NaN"],
        [[NaN, NaN, NaN, 0], 0, "NaN"],
        [[1, Infinity, 2, 0], 1, "Infinity"],
        [[-Infinity, -Infinity, -Infinity, 0], 0, "-Infinity"],
      ] as const) {
        expect(() => sampleToken(Float32Array.from(values), options, 0.5)).toThrow(
          new LstmError(
            "invalidSampling",
            `the logit of token ${token} is ${logit}; nothing can be drawn (are all parameters finite?)`,
          ),
        );
      }
      // What is excluded does not matter, and a token may have no probability at all.
      expect(sampleToken(Float32Array.of(-Infinity, 1, -Infinity, NaN), options, 0.5)).toBe(1);
    },
  );

  it("never draws an excluded token, whatever the draw", () => {
    const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(draws, fc.double({ min: 0, max: 5, noNaN: true }), (draw, temperature) => {
        const options = { temperature, topP: 1, excluded: new Set([1, 3]) };
        expect([0, 2]).toContain(sampleToken(logits, options, draw));
      }),
    );
  });
});
