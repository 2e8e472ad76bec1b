/** tfjs tensors into language models and encoder–decoders, and out of them. */
import { selectBackend } from "@ostinato/kernels/tensor";
import { dispose, memory, tensor, tensor1d, tensor2d, zeros } from "@tensorflow/tfjs-core";
import type { Tensor, TypedArray } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";

import { initialParameters, LstmError, stateShape } from "../src/index.js";
import {
  createEncoderDecoder,
  createLanguageModel,
  createSequenceModel,
  createTrainer,
  pairBatch,
  predictNextTensor,
  predictTensor,
  sequenceBatch,
  tokenBatch,
  translateTensor,
  zeroStates,
} from "../src/model/index.js";
import type { EncoderDecoder, LanguageModel, PairTensors } from "../src/model/index.js";
import { randomParameters, randomSegment, specOf } from "./language-models.js";
import {
  END,
  pairBatchOf,
  pairSpecOf,
  randomPair,
  randomPairParameters,
} from "./support/encoder-decoders.js";
import { randomSequenceParameters, sequenceSpecOf } from "./support/sequence-models.js";

beforeAll(() => selectBackend("wasm"));

const int32 = (values: TypedArray | number[], shape: number[]): Tensor =>
  tensor(values, shape, "int32");
const float32 = (values: TypedArray | number[], shape: number[]): Tensor =>
  tensor(values, shape, "float32");

const refused = (message: string): LstmError => new LstmError("invalidBatch", message);

describe("tensors of a language model", () => {
  const spec = specOf({ dropout: 0 });
  const modelOf = (): LanguageModel => {
    const model = createLanguageModel(spec);
    model.setParameters(randomParameters(spec, 4));
    return model;
  };

  it("become the segment that typed arrays are, its rows spread over the micro-shards", () => {
    const { batch } = randomSegment(spec, 4, [1, 2], 3);
    const [inputs, targets] = [int32(batch.inputs, [4, 3]), int32(batch.targets, [4, 3])];
    const before = memory();
    expect(tokenBatch({ inputs, targets, weights: float32(batch.weights, [4, 3]) }, 2)).toEqual(
      batch,
    );
    expect(memory().numTensors).toBe(before.numTensors + 1);
    expect(tokenBatch({ inputs, targets })).toEqual({
      ...batch,
      weights: new Float32Array(12).fill(1),
      leaves: [{ leaf: 0, firstRow: 0, numRows: 3 }],
    });
  });

  it("train it, with the states that its leaves carry on", () => {
    const model = createLanguageModel(spec);
    const optimizer = { kind: "adam" };
    const trainer = createTrainer({ model, seed: 1, optimizer, learningRate: 0.05 });
    // The next token is the one after: 0, 1, … 6, 0, …
    const counted = (first: number, count: number): Tensor =>
      int32(
        Array.from({ length: count * 2 }, (_, n) => (first + Math.floor(n / 2) + (n % 2)) % 7),
        [count, 2],
      );
    const batch = tokenBatch({ inputs: counted(0, 10), targets: counted(1, 10) }, 2);
    let states = zeroStates(spec, batch);
    expect(states).toEqual([0, 1].map(() => new Float32Array(stateShape(spec).valuesPerRow)));
    let loss = NaN;
    for (let step = 1; step <= 60; step++) {
      const result = trainer.trainStep({ batch, states });
      states = result.outcomes.map(({ state }) => state);
      loss = result.loss;
    }
    // A guess costs log 7, 1.95.
    expect(loss).toBeLessThan(0.1);
    model.dispose();
  });

  it("are its predictions, and the state that the next one starts from", () => {
    const model = modelOf();
    const numRows = 2;
    const zero = new Float32Array(numRows * stateShape(spec).valuesPerRow);
    const expected = model.predictNext(Int32Array.of(3, 1), zero);
    const before = memory();
    const first = predictNextTensor(model, tensor1d([3, 1], "int32"));
    const second = predictNextTensor(model, tensor1d([2, 2], "int32"), first.state);
    expect(memory().numTensors).toBe(before.numTensors + 2 + 4);
    expect([first.logits.shape, first.state.shape]).toEqual([[2, 7], [zero.length]]);
    expect([first.logits.dataSync(), first.state.dataSync()]).toEqual([
      expected.logits,
      expected.state,
    ]);
    const next = model.predictNext(Int32Array.of(2, 2), expected.state);
    expect([second.logits.dataSync(), second.state.dataSync()]).toEqual([next.logits, next.state]);
    const none = predictNextTensor(model, tensor1d([], "int32"));
    expect([none.logits.shape, none.state.shape]).toEqual([[0, 7], [0]]);
    model.dispose();
  });

  it("of another type or shape are refused", () => {
    const tokens = zeros([4, 3], "int32");
    for (const [tensors, message] of [
      [
        { inputs: zeros([4, 3]), targets: tokens },
        "inputs are float32 of shape [4, 3], expected int32 of shape [time, rows]",
      ],
      [
        { inputs: zeros([4, 3, 1], "int32"), targets: tokens },
        "inputs are int32 of shape [4, 3, 1], expected int32 of shape [time, rows]",
      ],
      [
        { inputs: tokens, targets: zeros([3, 4], "int32") },
        "targets are int32 of shape [3, 4], expected int32 of shape [4, 3]",
      ],
      [
        { inputs: tokens, targets: tokens, weights: tokens },
        "weights are int32 of shape [4, 3], expected float32 of shape [4, 3]",
      ],
    ] as const) {
      expect(() => tokenBatch(tensors)).toThrow(refused(message));
    }
    expect(() => tokenBatch({ inputs: tokens, targets: tokens }, 3)).toThrow(
      refused("microShards is 3, expected a power of two from 1"),
    );
    const model = modelOf();
    expect(() => predictNextTensor(model, zeros([2]))).toThrow(
      refused("tokens are float32 of shape [2], expected int32 of shape [rows]"),
    );
    const { valuesPerRow } = stateShape(spec);
    expect(() => predictNextTensor(model, zeros([2], "int32"), zeros([valuesPerRow]))).toThrow(
      refused(
        `state values are float32 of shape [${valuesPerRow}], expected float32 of shape [${2 * valuesPerRow}]`,
      ),
    );
    model.dispose();
  });
});

describe("tensors of an encoder–decoder", () => {
  const spec = pairSpecOf({ attention: "additive" });
  const modelOf = (): EncoderDecoder => {
    const model = createEncoderDecoder(spec);
    // Large ones, so that the best targets are of different lengths.
    model.setParameters(randomPairParameters(spec, 8, 2.5));
    return model;
  };
  const batch = pairBatchOf([[randomPair(spec, 1)], [randomPair(spec, 2), randomPair(spec, 3)]]);
  const { source, target, weights } = batch;
  const tensorsOf = (): PairTensors => ({
    source: int32(source.tokens, [source.numSteps, 3]),
    sourceLengths: int32(source.lengths, [3]),
    target: int32(target.tokens, [target.numSteps, 3]),
    targetLengths: int32(target.lengths, [3]),
    weights: float32(weights!, [3]),
  });

  it("become the pairs that typed arrays are, spread over the micro-shards", () => {
    const tensors = tensorsOf();
    const before = memory();
    expect(pairBatch(tensors, 2)).toEqual(batch);
    expect(memory()).toEqual(before);
    const { source: whole, target: ofIt } = tensors;
    expect(pairBatch({ source: whole, target: ofIt })).toEqual({
      source: { ...source, lengths: new Int32Array(3).fill(source.numSteps) },
      target: { ...target, lengths: new Int32Array(3).fill(target.numSteps) },
      weights: undefined,
      numRows: 3,
      leaves: [{ leaf: 0, firstRow: 0, numRows: 3 }],
    });
  });

  it("train it as typed arrays do", () => {
    const optimizer = { kind: "sgd" };
    const [first, second] = [createEncoderDecoder(spec), createEncoderDecoder(spec)].map((model) =>
      createTrainer({ model, seed: 1, optimizer, learningRate: 0.1 }),
    );
    first!.trainStep({ batch: pairBatch(tensorsOf(), 2) });
    second!.trainStep({ batch });
    expect(first!.parameters).toEqual(second!.parameters);
    expect(first!.parameters).not.toEqual(initialParameters(spec, 1));
  });

  it("are its translations: the best of each row, the end in the padding", () => {
    const model = modelOf();
    const options = { beamSize: 3, maxLength: 6, lengthPenalty: 0.5 };
    const { source: tokens, sourceLengths: lengths } = tensorsOf();
    const best = model.translate(source, options).map(([first]) => first!);
    const before = memory();
    const found = translateTensor(model, tokens, { ...options, lengths });
    expect(memory().numTensors).toBe(before.numTensors + 3);
    const longest = Math.max(...best.map((row) => row.tokens.length));
    expect(longest).toBeGreaterThan(0);
    const padded = best.map((row) =>
      Array.from({ length: longest }, (_, t) => row.tokens[t] ?? END),
    );
    expect(found.tokens.shape).toEqual([longest, 3]);
    expect(found.tokens.arraySync()).toEqual(
      Array.from({ length: longest }, (_, t) => padded.map((row) => row[t])),
    );
    expect([...found.lengths.dataSync()]).toEqual(best.map((row) => row.tokens.length));
    expect(new Set(found.lengths.dataSync()).size).toBeGreaterThan(1);
    expect(found.logProbabilities.dataSync()).toEqual(
      Float32Array.from(best, ({ logProbability }) => logProbability),
    );
    dispose([found.tokens, found.lengths, found.logProbabilities]);
    expect(memory()).toEqual(before);
    const whole = translateTensor(model, tokens, options);
    const all = { ...source, lengths: new Int32Array(3).fill(source.numSteps) };
    expect([...whole.lengths.dataSync()]).toEqual(
      model.translate(all, options).map(([first]) => first!.tokens.length),
    );
    const none = translateTensor(model, tensor2d([], [0, 0], "int32"), options);
    expect([none.tokens.shape, none.lengths.shape]).toEqual([[0, 0], [0]]);
    model.dispose();
  });

  it("of another type or shape are refused", () => {
    const given = tensorsOf();
    const [S, T] = [source.numSteps, target.numSteps];
    for (const [changes, message] of [
      [
        { source: zeros([S, 3]) },
        `source tokens are float32 of shape [${S}, 3], expected int32 of shape [time, rows]`,
      ],
      [
        { sourceLengths: zeros([3]) },
        "source lengths are float32 of shape [3], expected int32 of shape [3]",
      ],
      [
        { target: zeros([T, 2], "int32") },
        `target tokens are int32 of shape [${T}, 2], expected int32 of shape [time, 3]`,
      ],
      [
        { targetLengths: zeros([3, 1], "int32") },
        "target lengths are int32 of shape [3, 1], expected int32 of shape [3]",
      ],
      [{ weights: zeros([2]) }, "weights are float32 of shape [2], expected float32 of shape [3]"],
    ] as const) {
      expect(() => pairBatch({ ...given, ...changes })).toThrow(refused(message));
    }
    expect(() => pairBatch(given, 0)).toThrow(
      refused("microShards is 0, expected a power of two from 1"),
    );
    const model = modelOf();
    const options = { beamSize: 1, maxLength: 2, lengths: zeros([3]) };
    expect(() => translateTensor(model, given.source, options)).toThrow(
      refused("source lengths are float32 of shape [3], expected int32 of shape [3]"),
    );
    model.dispose();
  });
});

describe("tensors of a sequence model", () => {
  it("of another type or shape are refused", () => {
    const inputs = zeros([2, 4, 3]);
    const targets = zeros([2, 4, 2]);
    for (const [changes, message] of [
      [{ inputs: zeros([2, 4, 3], "bool") }, "inputs are bool, expected float32 or int32"],
      [{ targets: zeros([2, 4], "bool") }, "targets are bool, expected float32 or int32"],
      [{ lengths: zeros([4]) }, "lengths are float32 of shape [4], expected int32 of shape [4]"],
      [
        { targetLengths: zeros([2], "int32") },
        "targetLengths are int32 of shape [2], expected int32 of shape [4]",
      ],
      [
        { weights: zeros([2, 4], "int32") },
        "weights are int32 of shape [2, 4], expected float32 of shape [2, 4]",
      ],
    ] as const) {
      expect(() => sequenceBatch({ inputs, targets, ...changes })).toThrow(refused(message));
    }
    const spec = sequenceSpecOf();
    const model = createSequenceModel(spec);
    model.setParameters(randomSequenceParameters(spec, 1));
    expect(() => predictTensor(model, inputs, zeros([4]))).toThrow(
      refused("lengths are float32 of shape [4], expected int32 of shape [4]"),
    );
    model.dispose();
  });
});
