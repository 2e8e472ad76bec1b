/** Specs that between them turn on everything a model can do. */
import fc from "fast-check";

import type { LanguageModelSpec } from "../src/index.js";
import { specOf } from "./language-models.js";
import { anyRate, anyStack, outputSizeOf } from "./support/any-stack.js";

type Changes = Partial<LanguageModelSpec>;

const PLAIN: Changes = { dropout: 0, hiddenSize: 4, numLayers: 2 };
const EVERY_LSTM_OPTION: Changes = {
  peephole: true,
  coupledGates: true,
  layerNorm: true,
  projectionSize: 3,
  zoneoutHidden: 0.3,
  zoneoutCell: 0.2,
  weightDropout: 0.4,
};

/** Each option by itself, and those that touch each other together. */
export const MODEL_CASES: readonly { readonly name: string; readonly spec: LanguageModelSpec }[] = (
  [
    ["lstm", { numLayers: 1 }],
    ["lstm with dropout", { dropout: 0.4 }],
    // More symbols than the projected table of layer 0 is made for.
    ["lstm with a large vocabulary", { dropout: 0.4, vocabularySize: 300, embeddingSize: 2 }],
    ["lstm with peepholes", { peephole: true }],
    ["lstm with coupled gates", { coupledGates: true }],
    ["lstm with peepholes and coupled gates", { peephole: true, coupledGates: true }],
    ["lstm with layer normalization inside", { layerNorm: true }],
    ["lstm with a projection", { projectionSize: 2 }],
    ["lstm with zoneout of the hidden state", { zoneoutHidden: 0.4 }],
    ["lstm with zoneout of the cell state", { zoneoutCell: 0.4 }],
    ["lstm with recurrent weight dropout", { weightDropout: 0.5 }],
    ["lstm with all of its options", EVERY_LSTM_OPTION],
    ["gru", { cell: "gru" }],
    ["gru with the reset before", { cell: "gru", resetAfter: false }],
    [
      "gru with zoneout and weight dropout",
      { cell: "gru", zoneoutHidden: 0.3, weightDropout: 0.4 },
    ],
    [
      "gru with the reset before, zoneout and weight dropout",
      { cell: "gru", resetAfter: false, zoneoutHidden: 0.3, weightDropout: 0.4 },
    ],
    ["rnn with tanh", { cell: "rnn" }],
    ["rnn with relu", { cell: "rnn", activation: "relu" }],
    [
      "rnn with relu, zoneout and weight dropout",
      { cell: "rnn", activation: "relu", zoneoutHidden: 0.3, weightDropout: 0.4 },
    ],
    ["residual connections", { cell: "gru", residual: true, numLayers: 3, dropout: 0.3 }],
    ["layer normalization between layers", { normalization: "layer", residual: true }],
    ["batch normalization between layers", { normalization: "batch", residual: true }],
    [
      "batch normalization of a projection",
      { normalization: "batch", projectionSize: 3, dropout: 0.3 },
    ],
    ["dropout everywhere", { dropout: 0.3, inputDropout: 0.3, outputDropout: 0.4 }],
    [
      "variational dropout everywhere",
      { dropout: 0.3, inputDropout: 0.3, outputDropout: 0.4, variationalDropout: true },
    ],
    ["embedding dropout", { embeddingDropout: 0.4 }],
    ["a tied head", { tiedEmbedding: true, embeddingSize: 4 }],
    [
      "a head tied to an embedding with dropout",
      { tiedEmbedding: true, embeddingSize: 4, embeddingDropout: 0.4, inputDropout: 0.2 },
    ],
    ["a head tied to a projection", { tiedEmbedding: true, projectionSize: 3, embeddingSize: 3 }],
    ["label smoothing", { labelSmoothing: 0.2 }],
    ["penalties", { activationPenalty: 2, temporalActivationPenalty: 1, outputDropout: 0.4 }],
    ["a temporal penalty alone", { cell: "gru", temporalActivationPenalty: 3, outputDropout: 0.4 }],
    [
      "penalties after batch normalization",
      { normalization: "batch", activationPenalty: 2, temporalActivationPenalty: 1 },
    ],
  ] satisfies readonly [string, Changes][]
).map(([name, changes]) => ({ name, spec: specOf({ ...PLAIN, ...changes }) }));

/**
 * Any valid combination of all keys.
 *
 * @param sizes of the embedding, the layers and the projection.
 */
export const anySpec = (sizes: fc.Arbitrary<number>): fc.Arbitrary<LanguageModelSpec> =>
  fc
    .record({
      stack: anyStack(sizes),
      vocabularySize: fc.integer({ min: 1, max: 6 }),
      embeddingSize: sizes,
      tiedEmbedding: fc.boolean(),
      embeddingDropout: anyRate,
      labelSmoothing: anyRate,
    })
    .map(({ stack, embeddingSize, ...rest }): LanguageModelSpec => {
      // All but how parameters start: no key may be forgotten here.
      const keys: Omit<LanguageModelSpec, "kind" | "initialization"> = {
        ...stack,
        ...rest,
        embeddingSize: rest.tiedEmbedding ? outputSizeOf(stack) : embeddingSize,
      };
      return specOf(keys);
    });
