import { createVocabulary } from "@ostinato/data";
import type { LanguageModel } from "@ostinato/lstm/model";
import { describe, expect, it } from "vitest";

import { generateText } from "./generate-text.js";

const vocabulary = createVocabulary(["", "\n", "a", "b", "c"]);

/** A model that is sure of the next symbol: a → b → c → a; and a → unknown, more likely still. */
function sureModel(): LanguageModel {
  const successor = [2, 2, 3, 4, 2];
  const predictNext: LanguageModel["predictNext"] = (tokens, state) => {
    const logits = new Float32Array(5).fill(-100);
    logits[successor[tokens[0]!]!] = 100;
    logits[0] = 200;
    return { logits, state };
  };
  const spec = {
    kind: "languageModel",
    vocabularySize: 5,
    embeddingSize: 1,
    cell: "lstm",
    hiddenSize: 1,
    numLayers: 1,
    dropout: 0,
    forgetBias: 1,
  } as const;
  return { spec, predictNext } as Partial<LanguageModel> as LanguageModel;
}

const request = { prompt: "ab", length: 5, temperature: 1, topP: 1, seed: 1 };

describe("generated text", () => {
  it("goes on from its prompt, and never holds the unknown symbol", () => {
    expect(generateText(sureModel(), vocabulary, request)).toEqual({ text: "cabca", unknown: [] });
  });

  it("starts from a line feed where there is no prompt", () => {
    expect(generateText(sureModel(), vocabulary, { ...request, prompt: "" }).text).toBe("abcab");
  });

  it("tells which characters of the prompt the model never saw", () => {
    const { unknown } = generateText(sureModel(), vocabulary, { ...request, prompt: "xa€xb" });
    expect(unknown).toEqual(["x", "€"]);
  });
});
