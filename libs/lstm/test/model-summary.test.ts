/** The summary's memory against what the backend really holds when backward begins. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { memory } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";

import { compileModelSpec, modelSummary } from "../src/index.js";
import { createEncoderDecoder, createLanguageModel } from "../src/model/index.js";
import { randomParameters, randomSegment, specOf } from "./language-models.js";
import { pairBatchOf, pairSpecOf, randomPairParameters } from "./support/encoder-decoders.js";

/** The first phase report of backward: all of forward is there, nothing of backward yet. */
function bytesAtBackward(compute: (onProgress: (phase: string) => void) => void): number {
  const before = memory().numBytes;
  let bytes = 0;
  compute((phase) => {
    if (phase === "backward" && bytes === 0) bytes = memory().numBytes - before;
  });
  return bytes;
}

describe("a summary's activations", () => {
  beforeAll(() => selectBackend("wasm"));

  it.each(["lstm", "gru", "rnn"] as const)(
    "are held when the backward pass of a language model begins: %s",
    (cell) => {
      const spec = compileModelSpec({
        ...specOf({ cell, hiddenSize: 40, embeddingSize: 20, vocabularySize: 300, numLayers: 2 }),
      });
      const model = createLanguageModel(spec);
      model.setParameters(randomParameters(spec, 1));
      const segment = randomSegment(spec, 30, [8], 1);
      const onGradient = (): void => undefined;
      const call = { ...segment, seed: 1, step: 1, onGradient };
      // Then what is made of the parameters once a version is there already.
      model.computeGradients(call);
      const held = bytesAtBackward((onProgress) => model.computeGradients({ ...call, onProgress }));
      model.dispose();
      const { activationBytes } = modelSummary(spec, { rows: 8, steps: 30 }).memory;
      expect(held).toBeGreaterThan(activationBytes);
      expect(held).toBeLessThan(4 * activationBytes);
    },
  );

  it.each(["none", "additive", "multiplicative"])(
    "are held when the backward pass of an encoder–decoder begins: attention %s",
    (attention) => {
      const spec = pairSpecOf({ attention, hiddenSize: 40, embeddingSize: 20 });
      const model = createEncoderDecoder(spec);
      model.setParameters(randomPairParameters(spec, 1));
      const pair = {
        source: Array.from({ length: 20 }, (_, t) => t % 5),
        target: Array.from({ length: 30 }, (_, t) => 2 + (t % 5)),
      };
      const batch = pairBatchOf([Array.from({ length: 8 }, () => pair)]);
      const call = { batch, seed: 1, step: 1, onGradient: (): void => undefined };
      model.computeGradients(call);
      const held = bytesAtBackward((onProgress) => model.computeGradients({ ...call, onProgress }));
      model.dispose();
      const { activationBytes } = modelSummary(spec, {
        rows: 8,
        steps: 30,
        sourceSteps: 20,
      }).memory;
      expect(held).toBeGreaterThan(activationBytes);
      expect(held).toBeLessThan(4 * activationBytes);
    },
  );
});
