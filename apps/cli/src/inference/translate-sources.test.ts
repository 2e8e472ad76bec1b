import { createTokenVocabulary, END_ID, START_ID } from "@ostinato/data";
import { selectBackend } from "@ostinato/kernels/tensor";
import { compileModelSpec, initialParameters } from "@ostinato/lstm";
import { createEncoderDecoder } from "@ostinato/lstm/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CliError } from "../errors/index.js";
import { requireTranslator, requireWriter } from "./model-kind.js";
import type { Translator } from "./model-kind.js";
import { sampleTranslations, translateSources } from "./translate-sources.js";

const vocabularies = {
  source: createTokenVocabulary({ form: "characters", tokens: ["a", "b", "c"], firstId: 1 }),
  target: createTokenVocabulary({ form: "tokens", tokens: ["x", "y"], firstId: 3 }),
};

let translator: Translator;

/** Parameters as they begin: what is written is of no sense, but of the source. */
beforeAll(async () => {
  await selectBackend("wasm");
  const spec = compileModelSpec({
    ...{ kind: "encoderDecoder", sourceVocabularySize: 4, targetVocabularySize: 5 },
    ...{ startId: START_ID, endId: END_ID, hiddenSize: 6, embeddingSize: 4 },
    initialization: [{ match: "*", kind: "normal", std: 1 }],
  });
  const model = createEncoderDecoder(spec);
  model.setParameters(initialParameters(spec, 5));
  translator = { model, vocabularies };
});

afterAll(() => {
  translator.model.dispose();
});

const request = { beamSize: 4, maxLength: 3, lengthPenalty: 0, numBest: 1 };

describe("translated sources", () => {
  const sources = Array.from({ length: 70 }, (_, n) => "abcab".slice(n % 3, (n % 3) + 1 + (n % 2)));

  it("are written as the data's targets are, the same beside any other source", () => {
    const together = [...translateSources(translator, sources, request)];
    expect(together).toHaveLength(70);
    const alone = sources
      .slice(0, 6)
      .flatMap((source) => [...translateSources(translator, [source], request)]);
    // The sources repeat after six of them.
    for (const [n, translation] of together.entries()) expect(translation).toEqual(alone[n % 6]);
    for (const { target, score, logProbability } of together) {
      for (const token of target) expect(["x", "y"]).toContain(token);
      expect(score).toBe(logProbability);
      expect(score).toBeLessThan(0);
    }
  });

  it("come with the next best where they are asked for", () => {
    const [one] = translateSources(translator, ["ab"], { ...request, numBest: 3 });
    const { nBest = [], ...best } = one ?? {};
    expect(nBest).toHaveLength(3);
    expect(nBest[0]).toEqual(best);
    const scores = nBest.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(new Set(nBest.map(({ target }) => JSON.stringify(target))).size).toBe(3);
  });
});

describe("translations of the test part", () => {
  it("stand beside what they should be", () => {
    const one = { lengths: Uint32Array.of(1, 1, 2), ids: Int32Array.of(1, 2, 3, 0) };
    const samples = sampleTranslations(translator, {
      ...{ kind: "pairs", vocabularies, digest: "", weights: new Float32Array(3).fill(1) },
      source: one,
      target: { lengths: Uint32Array.of(1, 1, 1), ids: Int32Array.of(3, 4, 4) },
      splits: {
        train: { first: 0, count: 1 },
        validation: { first: 1, count: 1 },
        test: { first: 2, count: 1 },
      },
    });
    expect(samples).toEqual([{ source: "c\uFFFD", target: ["y"], translation: expect.any(Array) }]);
  });
});

describe("a model of another kind", () => {
  it("is refused with the command that fits it", () => {
    const { model } = translator;
    expect(requireTranslator({ model, pairVocabularies: vocabularies }, "translate").model).toBe(
      model,
    );
    expect(() => requireWriter({ model, vocabulary: null }, "generate")).toThrow(
      new CliError(
        "unusableModel",
        "generate needs a languageModel; this run has an encoderDecoder: give its sources to ostinato translate",
      ),
    );
  });
});
