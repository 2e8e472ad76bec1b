/** Small encoder–decoders and batches of pairs for tests. */
import fc from "fast-check";

import { compileModelSpec, parameterLayout } from "../../src/index.js";
import type { EncoderDecoderSpec } from "../../src/index.js";
import type {
  EncoderDecoder,
  LeafOutcome,
  PairBatch,
  TokenSequences,
} from "../../src/model/index.js";
import { bitsOf, randomValues } from "../language-models.js";
import { anyRate, anyStack, outputSizeOf } from "./any-stack.js";

export const START = 1;
export const END = 0;

export function pairSpecOf(changes: Readonly<Record<string, unknown>> = {}): EncoderDecoderSpec {
  return compileModelSpec({
    kind: "encoderDecoder",
    sourceVocabularySize: 6,
    targetVocabularySize: 7,
    startId: START,
    endId: END,
    embeddingSize: 3,
    hiddenSize: 4,
    ...changes,
  });
}

/**
 * Any valid combination of all keys.
 *
 * @param sizes of the embeddings, the layers and the projection.
 */
export const anyPairSpec = (sizes: fc.Arbitrary<number>): fc.Arbitrary<EncoderDecoderSpec> =>
  fc
    .record({
      stack: anyStack(sizes, 2),
      sourceVocabularySize: fc.integer({ min: 1, max: 5 }),
      targetVocabularySize: fc.integer({ min: 3, max: 6 }),
      embeddingSize: sizes,
      bidirectionalEncoder: fc.boolean(),
      attention: fc.constantFrom("none", "additive", "multiplicative"),
      tiedEmbedding: fc.boolean(),
      labelSmoothing: anyRate,
    })
    .map(({ stack: raw, embeddingSize, ...rest }): EncoderDecoderSpec => {
      const { hiddenSize } = raw;
      const stack = rest.bidirectionalEncoder
        ? { ...raw, projectionSize: null, hiddenSize: hiddenSize + (hiddenSize % 2) }
        : raw;
      // All but how parameters start: no key may be forgotten here.
      const keys: Omit<EncoderDecoderSpec, "kind" | "initialization" | "startId" | "endId"> = {
        ...stack,
        ...rest,
        embeddingSize: rest.tiedEmbedding ? outputSizeOf(stack) : embeddingSize,
      };
      return pairSpecOf(keys);
    });

export function randomPairParameters(
  spec: EncoderDecoderSpec,
  seed: number,
  scale = 0.8,
): Float32Array {
  return randomValues(seed)(parameterLayout(spec).size, scale);
}

export interface Pair {
  readonly source: readonly number[];
  readonly target: readonly number[];
  /** A float32; 1 where left out. */
  readonly weight?: number;
}

/** Pairs of different lengths and weights, each a matter of its seed alone. */
export function randomPair(spec: EncoderDecoderSpec, seed: number): Pair {
  const values = randomValues(seed * 7919 + 13);
  const draw = (count: number, from: number, to: number): number[] =>
    Array.from(values(count), (value) => from + Math.floor(((value + 1) / 2) * (to - from)));
  const [sourceLength, targetLength] = [draw(1, 1, 7)[0]!, draw(1, 0, 6)[0]!];
  return {
    source: draw(sourceLength, 0, spec.sourceVocabularySize),
    target: draw(targetLength, 2, spec.targetVocabularySize),
    weight: 1 + values(1)[0]! / 2,
  };
}

/** Side by side, with `garbage` in the padding. */
export function sequencesOf(
  rows: readonly (readonly number[])[],
  { garbage = 0, further = 0 } = {},
): TokenSequences {
  const numRows = rows.length;
  const numSteps = Math.max(0, ...rows.map(({ length }) => length)) + further;
  const tokens = Int32Array.from(
    { length: numSteps * numRows },
    (_, n) => rows[n % numRows]![Math.floor(n / numRows)] ?? garbage,
  );
  return { numSteps, tokens, lengths: Int32Array.from(rows, ({ length }) => length) };
}

/** @param leaves the pairs of each, numbered from `firstLeaf`. */
export function pairBatchOf(
  leaves: readonly (readonly Pair[])[],
  { firstLeaf = 0, ...padding }: { firstLeaf?: number; garbage?: number; further?: number } = {},
): PairBatch {
  const pairs = leaves.flat();
  let firstRow = 0;
  return {
    source: sequencesOf(
      pairs.map(({ source }) => source),
      padding,
    ),
    target: sequencesOf(
      pairs.map(({ target }) => target),
      padding,
    ),
    // Left out where no pair has one.
    weights: pairs.every(({ weight }) => weight === undefined)
      ? undefined
      : Float32Array.from(pairs, ({ weight = 1 }) => weight),
    numRows: pairs.length,
    leaves: leaves.map(({ length: numRows }, index) => {
      const leaf = { leaf: firstLeaf + index, firstRow, numRows };
      firstRow += numRows;
      return leaf;
    }),
  };
}

/** The pairs of each leaf. */
export function pairsOf({ source, target, weights, leaves }: PairBatch): Pair[][] {
  return leaves.map(({ firstRow, numRows }) =>
    Array.from({ length: numRows }, (_, k) => ({
      source: rowTokens(source, firstRow + k),
      target: rowTokens(target, firstRow + k),
      weight: weights?.[firstRow + k] ?? 1,
    })),
  );
}

/** Tokens of one row, without its padding. */
function rowTokens({ tokens, lengths }: TokenSequences, row: number): number[] {
  return Array.from({ length: lengths[row]! }, (_, t) => tokens[t * lengths.length + row]!);
}

/** Per leaf: its outcome and the gradient of each tensor in the order they came, as bits. */
export function pairBits(model: EncoderDecoder, batch: PairBatch): unknown[] {
  const gradients: [string, readonly Float32Array[]][] = [];
  const outcomes = model.computeGradients({
    batch,
    seed: 5,
    step: 8,
    onGradient: (name, perLeaf) => gradients.push([name, perLeaf]),
  });
  return outcomes.map((outcome, index) => ({
    outcome: comparable(outcome),
    gradients: gradients.map(([name, perLeaf]) => [name, bitsOf(perLeaf[index]!)]),
  }));
}

export function comparable({ leaf, lossSum, lossWeight, moments }: LeafOutcome): unknown {
  return { leaf, lossSum, lossWeight, moments };
}
