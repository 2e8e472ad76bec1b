import { selectBackend } from "@ostinato/kernels/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stateShape } from "../src/index.js";
import { createLanguageModel, generate } from "../src/model/index.js";
import type { GenerateOptions, LanguageModel } from "../src/model/index.js";
import { randomParameters, specOf } from "./language-models.js";

const spec = specOf({ vocabularySize: 9 });
const options: GenerateOptions = {
  prompt: [1, 2],
  length: 200,
  temperature: 1,
  topP: 1,
  seed: 1,
};

describe("generate", () => {
  let model: LanguageModel;
  beforeAll(async () => {
    await selectBackend("wasm");
    model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 6));
  });
  afterAll(() => model.dispose());

  it("draws the same tokens with the same seed, others with another", () => {
    const first = [...generate(model, options)];
    expect(first.length).toBe(200);
    expect([...generate(model, options)]).toEqual(first);
    expect([...generate(model, { ...options, seed: 2 })]).not.toEqual(first);
    // A shorter text is the beginning of a longer one.
    expect([...generate(model, { ...options, length: 20 })]).toEqual(first.slice(0, 20));
  });

  it("reads the whole prompt", () => {
    const greedy = { ...options, temperature: 0, length: 30 };
    const continued = [...generate(model, greedy)];
    const prompt = [...options.prompt, ...continued.slice(0, 10)];
    expect([...generate(model, { ...greedy, prompt, length: 20 })]).toEqual(continued.slice(10));
  });

  it("takes the most likely token after each other at temperature 0", () => {
    const expected: number[] = [];
    let state: Float32Array = new Float32Array(stateShape(spec).valuesPerRow);
    let logits: Float32Array = new Float32Array(0);
    for (const token of options.prompt) {
      ({ logits, state } = model.predictNext(Int32Array.of(token), state));
    }
    for (let n = 0; n < 25; n++) {
      const best = logits.indexOf(Math.max(...logits));
      expected.push(best);
      ({ logits, state } = model.predictNext(Int32Array.of(best), state));
    }
    expect([...generate(model, { ...options, temperature: 0, length: 25 })]).toEqual(expected);
  });

  it("says so when it has no parameters, or some that are not finite", () => {
    const other = createLanguageModel(spec);
    expect(() => [...generate(other, options)]).toThrow(
      expect.objectContaining({ code: "invalidParameters" }),
    );
    other.setParameters(randomParameters(spec, 6).fill(NaN));
    expect(() => [...generate(other, options)]).toThrow(
      expect.objectContaining({ code: "invalidSampling" }),
    );
    other.dispose();
  });

  it("never draws an excluded token", () => {
    const all = new Set(generate(model, options));
    expect(all.has(3)).toBe(true);
    const without = new Set(generate(model, { ...options, excluded: [3, 0] }));
    expect(without.has(3) || without.has(0)).toBe(false);
  });

  it.each([
    [{ prompt: [] }, "prompt is empty, allowed is at least one token"],
    [{ prompt: [9] }, "prompt is 9, allowed is a token from 0 to 8"],
    [{ length: -1 }, "length is -1, allowed is a whole number from 0"],
    [{ temperature: -0.1 }, "temperature is -0.1, allowed is a number from 0"],
    [{ seed: -1 }, "seed is -1, allowed is a whole number from 0 to 4294967295"],
    [{ seed: 0.5 }, "seed is 0.5, allowed is a whole number from 0 to 4294967295"],
    [{ seed: 2 ** 32 }, "seed is 4294967296, allowed is a whole number from 0 to 4294967295"],
    [{ topP: 0 }, "topP is 0, allowed is a number above 0, up to 1"],
    [{ topP: 1.5 }, "topP is 1.5, allowed is a number above 0, up to 1"],
    [{ excluded: [0.5] }, "excluded is 0.5, allowed is a token from 0 to 8"],
    [
      { excluded: [0, 1, 2, 3, 4, 5, 6, 7, 8] },
      "excluded is all 9 tokens, allowed is fewer than all",
    ],
  ])("refuses %j at once", (wrong, message) => {
    expect(() => generate(model, { ...options, ...wrong })).toThrow(`generate: ${message}`);
  });
});
