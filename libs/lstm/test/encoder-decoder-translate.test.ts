/** Beam search against the enumeration of all targets, scored by the float64 oracle. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { parameterLayout, statisticsLayout } from "../src/index.js";
import type { EncoderDecoderSpec } from "../src/index.js";
import { createEncoderDecoder } from "../src/model/index.js";
import type { EncoderDecoder, Hypothesis } from "../src/model/index.js";
import { backends, relativeError } from "./language-models.js";
import { runEncoderDecoder } from "./oracle/encoder-decoder.js";
import { OracleMasks } from "./oracle/masks.js";
import { OracleTensors } from "./oracle/tensors.js";
import {
  END,
  pairBatchOf,
  pairSpecOf,
  randomPair,
  randomPairParameters,
  sequencesOf,
  START,
} from "./support/encoder-decoders.js";

/** All targets of up to `maxLength` tokens, neither start nor end among them. */
function allTargets(spec: EncoderDecoderSpec, maxLength: number): number[][] {
  const tokens = Array.from({ length: spec.targetVocabularySize }, (_, token) => token).filter(
    (token) => token !== START && token !== END,
  );
  let longest: number[][] = [[]];
  const all = [[]] as number[][];
  for (let length = 1; length <= maxLength; length++) {
    longest = longest.flatMap((target) => tokens.map((token) => [...target, token]));
    all.push(...longest);
  }
  return all;
}

/** Each with its log-probability, best first. */
function enumerated(
  spec: EncoderDecoderSpec,
  parameters: Float32Array,
  source: readonly number[],
  maxLength: number,
): { tokens: number[]; logProbability: number }[] {
  const targets = allTargets(spec, maxLength);
  return targets
    .map((tokens) => ({ tokens, logProbability: -lossOf(spec, parameters, source, tokens) }))
    .sort((a, b) => b.logProbability - a.logProbability);
}

/** −log P(target, end | source). */
function lossOf(
  spec: EncoderDecoderSpec,
  parameters: Float32Array,
  source: readonly number[],
  target: readonly number[],
): number {
  const tensors = new OracleTensors(parameterLayout(spec).tensors, parameters);
  const masks = new OracleMasks(undefined);
  const running = (): never => expect.fail("no model here has running statistics");
  const pairs = [{ source, target }];
  return runEncoderDecoder({ spec, tensors, masks, running, leaf: 0, pairs }).lossSum;
}

function modelOf(spec: EncoderDecoderSpec, parameters: Float32Array): EncoderDecoder {
  const model = createEncoderDecoder(spec);
  model.setParameters(parameters);
  return model;
}

const kinds = [
  { attention: "none", cell: "gru", numLayers: 2 },
  { attention: "additive", bidirectionalEncoder: true },
  { attention: "multiplicative", tiedEmbedding: true, embeddingSize: 4, dropout: 0.5 },
];

const sources = [[2, 5, 0, 1], [4], [3, 3, 1, 0, 2], [5, 5]];

describe.each(backends)("translate on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each(kinds)(
    "finds all targets in their order when the beam holds them all: $attention",
    (kind) => {
      const spec = pairSpecOf({ targetVocabularySize: 5, ...kind });
      const parameters = randomPairParameters(spec, 21, 1.5);
      const model = modelOf(spec, parameters);
      // 1 + 3 + 9 + 27 targets of three tokens.
      const found = model.translate(sequencesOf(sources, { garbage: -1 }), {
        beamSize: 40,
        maxLength: 3,
      });
      model.dispose();
      for (const [row, source] of sources.entries()) {
        const expected = enumerated(spec, parameters, source, 3);
        expect(found[row]!.length).toBe(40);
        for (const [rank, { tokens, logProbability, score }] of found[row]!.entries()) {
          const wanted = expected.find((candidate) => candidate.tokens.join() === tokens.join())!;
          expect(Math.abs(logProbability - wanted.logProbability)).toBeLessThan(1e-5);
          expect(Math.abs(logProbability - expected[rank]!.logProbability)).toBeLessThan(1e-5);
          expect(score).toBe(logProbability);
        }
        const total = found[row]!.reduce(
          (sum, { logProbability }) => sum + Math.exp(logProbability),
          0,
        );
        expect(total).toBeLessThan(1);
      }
    },
  );

  it("never writes what is excluded, and leaves the others their probabilities", () => {
    const spec = pairSpecOf({ attention: "additive" });
    const parameters = randomPairParameters(spec, 21, 1.5);
    const model = modelOf(spec, parameters);
    for (const source of sources) {
      const expected = enumerated(spec, parameters, source, 2).filter(
        ({ tokens }) => !tokens.includes(3) && !tokens.includes(5),
      );
      const options = { beamSize: 60, maxLength: 2, excluded: [3, 5, END] };
      const [found = []] = model.translate(sequencesOf([source]), options);
      expect(found.map(({ tokens }) => tokens)).toEqual(expected.map(({ tokens }) => tokens));
      const probabilities = found.map(({ logProbability }) => logProbability);
      const wanted = expected.map(({ logProbability }) => logProbability);
      expect(relativeError(probabilities, wanted)).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  it.each(kinds)("takes the likeliest token each time with a beam of 1: $attention", (kind) => {
    const spec = pairSpecOf({ ...kind, hiddenSize: 4 });
    const parameters = randomPairParameters(spec, 8, 3);
    const model = modelOf(spec, parameters);
    const maxLength = 4;
    const found = model.translate(sequencesOf(sources), { beamSize: 1, maxLength });
    model.dispose();
    for (const [row, source] of sources.entries()) {
      const greedy = greedyByOracle(spec, parameters, source, maxLength);
      expect(found[row]!.map(({ tokens }) => tokens)).toEqual([greedy]);
    }
    // Otherwise nothing was decided by the source.
    expect(new Set(found.map((of) => of[0]!.tokens.join())).size).toBeGreaterThan(1);
  });

  it("finds with a narrow beam what is at least as likely as the greedy target", () => {
    const spec = pairSpecOf({ attention: "additive" });
    const better = Array.from({ length: 12 }, (_, seed) => {
      const parameters = randomPairParameters(spec, seed, 2);
      const model = modelOf(spec, parameters);
      const source = sequencesOf([randomPair(spec, seed).source]);
      const [greedy] = model.translate(source, { beamSize: 1, maxLength: 5 })[0]!;
      const wide = model.translate(source, { beamSize: 4, maxLength: 5 })[0]!;
      model.dispose();
      expect(wide.length).toBe(4);
      expect(wide.toSorted((a, b) => b.score - a.score)).toEqual(wide);
      return wide[0]!.logProbability - greedy!.logProbability;
    });
    expect(Math.max(...better)).toBeGreaterThan(0.01);
  });

  it("ranks by Wu et al.'s length penalty", () => {
    const spec = pairSpecOf({ targetVocabularySize: 4 });
    const model = modelOf(spec, randomPairParameters(spec, 5));
    const source = sequencesOf([[1, 2]]);
    const found = model.translate(source, { beamSize: 7, maxLength: 2, lengthPenalty: 1.5 })[0]!;
    const plain = model.translate(source, { beamSize: 7, maxLength: 2 })[0]!;
    model.dispose();
    const byTokens = new Map(plain.map(({ tokens, score }) => [tokens.join(), score]));
    for (const { tokens, logProbability, score } of found) {
      expect(logProbability).toBe(byTokens.get(tokens.join()));
      // |Y| counts the end: lp = ((5 + |Y|) / 6)^α.
      const penalty = ((5 + tokens.length + 1) / 6) ** 1.5;
      expect(score).toBeCloseTo(logProbability / penalty, 12);
    }
    expect(found.toSorted((a, b) => b.score - a.score)).toEqual(found);
    expect(found.map(({ tokens }) => tokens)).not.toEqual(plain.map(({ tokens }) => tokens));
  });

  // What the decoder does step by step must be what teacher forcing does at once.
  it.each([
    { normalization: "batch", numLayers: 2, residual: true, bidirectionalEncoder: true },
    { normalization: "layer", cell: "gru", resetAfter: false, attention: "multiplicative" },
    { zoneoutHidden: 0.3, zoneoutCell: 0.2, peephole: true, attention: "none", numLayers: 2 },
    { projectionSize: 3, tiedEmbedding: true, layerNorm: true, coupledGates: true },
    { cell: "rnn", activation: "relu", weightDropout: 0.4, variationalDropout: true, dropout: 0.4 },
  ])("gives the log-probabilities that evaluation has: %o", (changes) => {
    const spec = pairSpecOf(changes);
    const model = modelOf(spec, randomPairParameters(spec, 17));
    const { size } = statisticsLayout(spec);
    model.setRunningStatistics(Float64Array.from({ length: size }, (_, k) => 0.2 + 0.1 * (k % 7)));
    const found = model.translate(sequencesOf(sources), { beamSize: 3, maxLength: 4 });
    const leaves = found.flatMap((hypotheses, row) =>
      hypotheses.map(({ tokens }) => [{ source: sources[row]!, target: tokens }]),
    );
    const losses = model.evaluate({ batch: pairBatchOf(leaves) });
    model.dispose();
    expect(losses.length).toBe(12);
    const logProbabilities = found.flat().map(({ logProbability }) => -logProbability);
    const lossSums = losses.map(({ lossSum }) => lossSum);
    expect(relativeError(logProbabilities, lossSums)).toBeLessThan(1e-5);
  });

  it("gives a row what it gets alone, bit for bit", () => {
    const spec = pairSpecOf({ attention: "multiplicative", bidirectionalEncoder: true });
    const model = modelOf(spec, randomPairParameters(spec, 13, 1.5));
    const options = { beamSize: 3, maxLength: 5, lengthPenalty: 0.6 };
    const together = model.translate(sequencesOf(sources, { garbage: 99, further: 2 }), options);
    const alone = sources.map((source) => model.translate(sequencesOf([source]), options)[0]!);
    expect(together).toEqual(alone);
    expect(model.translate(sequencesOf([]), options)).toEqual([]);
    model.dispose();
  });

  it("breaks ties by the lower token", () => {
    const spec = pairSpecOf({ attention: "none" });
    // With parameters of zero every token is as likely as any other: end (0) first, then 2, 3, …
    const model = modelOf(spec, new Float32Array(randomPairParameters(spec, 1).length));
    const found = model.translate(sequencesOf([[1], [2, 3]]), { beamSize: 4, maxLength: 1 });
    model.dispose();
    const tokens = (of: readonly Hypothesis[]): unknown =>
      of.map((hypothesis) => hypothesis.tokens);
    expect(found.map(tokens)).toEqual([
      [[], [2], [3], [4]],
      [[], [2], [3], [4]],
    ]);
    expect(found[0]![0]!.logProbability).toBeCloseTo(-Math.log(7), 6);
  });

  it.each([
    [{ beamSize: 0, maxLength: 3 }, "beamSize is 0, allowed is a whole number from 1"],
    [{ beamSize: 1.5, maxLength: 3 }, "beamSize is 1.5, allowed is a whole number from 1"],
    [{ beamSize: 2, maxLength: -1 }, "maxLength is -1, allowed is a whole number from 0"],
    [
      { beamSize: 2, maxLength: 3, lengthPenalty: NaN },
      "lengthPenalty is NaN, allowed is a number from 0",
    ],
  ])("refuses %o", (options, message) => {
    const spec = pairSpecOf();
    const model = modelOf(spec, randomPairParameters(spec, 1));
    expect(() => model.translate(sequencesOf([[1]]), options)).toThrow(
      expect.objectContaining({ code: "invalidSampling", message: `translate: ${message}` }),
    );
    model.dispose();
  });

  it("refuses logits that are not finite", () => {
    const spec = pairSpecOf();
    const model = modelOf(spec, randomPairParameters(spec, 1).fill(NaN));
    expect(() => model.translate(sequencesOf([[1]]), { beamSize: 2, maxLength: 2 })).toThrow(
      "translate: a logit is NaN, not a finite number",
    );
    model.dispose();
  });
});

/** Token by token: of all one-token extensions and the end, the likeliest. */
function greedyByOracle(
  spec: EncoderDecoderSpec,
  parameters: Float32Array,
  source: readonly number[],
  maxLength: number,
): number[] {
  const prefix: number[] = [];
  while (prefix.length < maxLength) {
    const token = likeliestNext(spec, parameters, source, prefix);
    if (token === END) break;
    prefix.push(token);
  }
  return prefix;
}

/**
 * By a spec whose end is another token: −log P(prefix, x) of ending the prefix in token x, of which all
 * have the prefix's probability in common.
 */
function likeliestNext(
  spec: EncoderDecoderSpec,
  parameters: Float32Array,
  source: readonly number[],
  prefix: readonly number[],
): number {
  const losses = Array.from({ length: spec.targetVocabularySize }, (_, endId) =>
    endId === START ? Infinity : lossOf({ ...spec, endId }, parameters, source, prefix),
  );
  return losses.indexOf(Math.min(...losses));
}
