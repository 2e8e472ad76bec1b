/** What is measured of the two stacks of an encoder–decoder, with a loss at each target's end alone. */
import { memory } from "@tensorflow/tfjs-core";
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { initialParameters, tensorView } from "../src/index.js";
import type { EncoderDecoderSpec } from "../src/index.js";
import {
  createEncoderDecoder,
  createTrainer,
  diagnose,
  gateNormsByDistance,
  hiddenNormsByDistance,
  pairsLastStep,
  recordLayers,
} from "../src/model/index.js";
import type { EncoderDecoder, NormsByDistance, PairBatch } from "../src/model/index.js";
import { randomValues, relativeError } from "./language-models.js";
import {
  pairBatchOf,
  pairSpecOf,
  randomPair,
  randomPairParameters,
} from "./support/encoder-decoders.js";

beforeAll(() => selectBackend("wasm"));

interface Seen {
  readonly gradient: Float32Array;
  /** By the names of the layers. */
  readonly hidden: ReadonlyMap<string, NormsByDistance>;
  readonly gates: ReadonlyMap<string, NormsByDistance>;
}

function observe(model: EncoderDecoder, batch: PairBatch): Seen {
  const recorder = recordLayers();
  const gradient = new Float32Array(model.layout.size);
  model.computeGradients({
    ...{ batch, seed: 1, step: 1, nodes: "root", observer: recorder.observer },
    onGradient: (name, [values]) => {
      tensorView(gradient, model.layout, name).set(values!);
    },
  });
  const layers = recorder.layers();
  return {
    gradient,
    hidden: new Map(layers.map((layer) => [layer.name, hiddenNormsByDistance(layer)])),
    gates: new Map(layers.map((layer) => [layer.name, gateNormsByDistance(layer)])),
  };
}

describe("the norms by distance of two relu RNNs of one unit", () => {
  /** h_t = w·h_{t−1} + 1 on both sides, all positive, so that the slope is 1: ∂L/∂h_{t−1} = w·∂L/∂h_t. */
  function seenWith(encoder: number, decoder: number, attention: string): Seen {
    const model = createEncoderDecoder(
      pairSpecOf({ cell: "rnn", activation: "relu", hiddenSize: 1, embeddingSize: 1, attention }),
    );
    const parameters = new Float32Array(model.layout.size);
    const set = (name: string, ...values: number[]): void => {
      tensorView(parameters, model.layout, name).set(values);
    };
    set("encoder.embedding.table", 1, 1, 1, 1, 1, 1);
    set("decoder.embedding.table", 1, 1, 1, 1, 1, 1, 1);
    set("encoder.layers.0.kernel", 1, encoder);
    set("decoder.layers.0.kernel", 1, decoder);
    // However large the state is, the end is not what it is for: there is a gradient.
    set("head.kernel", -0.25, 0.25);
    if (attention !== "none") {
      set("attention.kernel", 1);
      set("attention.combine.kernel", 0.125, 0.125);
    }
    model.setParameters(parameters);
    const pair = { source: [2, 3, 4, 5], target: [3, 4] };
    const seen = observe(model, pairsLastStep(pairBatchOf([[pair]])));
    model.dispose();
    return seen;
  }

  it.each([
    ["vanishes in both", 0.5, 0.25],
    ["explodes in both", 2, 4],
    ["vanishes in the encoder alone", 0.25, 1],
  ])("%s: it is a power of each one's weight, from the target's end on", (_, encoder, decoder) => {
    const { hidden, gates } = seenWith(encoder, decoder, "none");
    for (const of of [hidden, gates]) {
      const ofDecoder = of.get("decoder.layers.0")!;
      const ofEncoder = of.get("encoder.layers.0")!;
      const atEnd = ofDecoder.norms[0]!;
      expect(atEnd).toBeGreaterThan(0);
      // The start and two tokens; then four tokens of the source.
      expect(ofDecoder.norms).toEqual([0, 1, 2].map((k) => atEnd * decoder ** k));
      expect(ofEncoder.norms).toEqual([0, 1, 2, 3].map((k) => atEnd * decoder ** 3 * encoder ** k));
      expect(ofDecoder.factorPerStep).toBeCloseTo(decoder, 12);
      expect(ofEncoder.factorPerStep).toBeCloseTo(encoder, 12);
    }
  });

  it("comes to every token of the source by the attention, where no state leads to it", () => {
    const without = seenWith(0, 0, "none").hidden.get("encoder.layers.0")!.norms;
    expect(without).toEqual([0, 0, 0, 0]);
    const attended = seenWith(0, 0, "multiplicative").hidden.get("encoder.layers.0")!.norms;
    // All its states are 1, so that the attention is the same at all of them.
    expect(attended[0]).toBeGreaterThan(0);
    for (const norm of attended) expect(norm).toBeCloseTo(attended[0]!, 8);
  });
});

describe.each([
  ["rnn", "none", false],
  ["lstm", "additive", true],
  ["gru", "multiplicative", false],
])(
  "the gate gradients of %s with attention: %s, in both directions: %s",
  (cell, attention, bidirectionalEncoder) => {
    it("are what a small change of the gates' inputs changes the loss at the end by", () => {
      // Tables that are the identity: what a token's row of the input kernel is moved by, the gates of its step are.
      const model = createEncoderDecoder(
        pairSpecOf({
          cell,
          attention,
          bidirectionalEncoder,
          embeddingSize: 7,
          sourceVocabularySize: 7,
        }),
      );
      const { layout } = model;
      const parameters = randomPairParameters(model.spec, 13);
      for (const side of ["encoder", "decoder"]) {
        const table = tensorView(parameters, layout, `${side}.embedding.table`);
        for (let n = 0; n < table.length; n++) table[n] = n % 8 === 0 ? 1 : 0;
      }
      const [source, target] = [
        [2, 5, 0],
        [4, 6],
      ];
      const batch = pairsLastStep(pairBatchOf([[{ source, target }]]));
      model.setParameters(parameters);
      const { gates } = observe(model, batch);
      const lossOf = (flat: Float32Array): number => {
        model.setParameters(flat);
        return model.evaluate({ batch })[0]!.lossSum;
      };
      const encoders = bidirectionalEncoder ? ["forward.", "backward."] : [""];
      const stacks = [
        ...encoders.map((direction) => [`encoder.layers.0.${direction}kernel`, source] as const),
        ["decoder.layers.0.kernel", [model.spec.startId, ...target]] as const,
      ];
      for (const [kernelName, tokens] of stacks) {
        const kernel = layout.tensors.find(({ name }) => name === kernelName)!;
        const width = kernel.shape[1]!;
        const wanted = tokens.toReversed().map((token) =>
          Math.hypot(
            ...Array.from({ length: width }, (_, column) => {
              const at = kernel.offset + token * width + column;
              const changed = (by: number): number => {
                const flat = parameters.slice();
                flat[at]! += by;
                return lossOf(flat);
              };
              const h = 1 / 16;
              // Fourth order (Abramowitz and Stegun, 25.3.6), for a float32 forward.
              return (
                (8 * (changed(h) - changed(-h)) - (changed(2 * h) - changed(-2 * h))) / (12 * h)
              );
            }),
          ),
        );
        const { norms } = gates.get(kernelName.replace(/\.kernel$/, ""))!;
        expect(Math.max(...norms), kernelName).toBeGreaterThan(1e-3);
        for (const [k, norm] of norms.entries()) {
          expect(Math.abs(norm - wanted[k]!), `${kernelName} ${k}`).toBeLessThan(
            2e-4 * Math.max(...wanted),
          );
        }
      }
      model.dispose();
    });
  },
);

describe("what the positions of targets count", () => {
  const spec = pairSpecOf({
    ...{ attention: "additive", labelSmoothing: 0.1, dropout: 0.2, outputDropout: 0.2 },
    ...{ activationPenalty: 0.3, temporalActivationPenalty: 0.2, numLayers: 2 },
  });
  const pairs = [1, 2, 3, 4].map((seed) => randomPair(spec, seed));
  const batch = pairBatchOf([pairs.slice(0, 1), pairs.slice(1)]);
  const numSteps = batch.target.numSteps + 1;
  const withWeights = (weightOf: (step: number) => number): PairBatch => ({
    ...batch,
    positionWeights: Float32Array.from({ length: numSteps * batch.numRows }, (_, n) =>
      weightOf(Math.floor(n / batch.numRows)),
    ),
  });

  function withModel<Result>(use: (model: EncoderDecoder) => Result): Result {
    const model = createEncoderDecoder(spec);
    model.setParameters(randomPairParameters(spec, 4));
    try {
      return use(model);
    } finally {
      model.dispose();
    }
  }

  it("is the row's weight where they say 1, to the bit", () => {
    withModel((model) => {
      const ones = withWeights(() => 1);
      expect(observe(model, ones).gradient).toEqual(observe(model, batch).gradient);
      expect(model.evaluate({ batch: ones })).toEqual(model.evaluate({ batch }));
    });
  });

  it("adds up: losses, weights and gradients of each position alone are those of all, penalties too", () => {
    withModel((model) => {
      const alone = Array.from({ length: numSteps }, (_, t) =>
        withWeights((step) => (step === t ? 1 : 0)),
      );
      const sumOf = (batches: readonly PairBatch[], of: "lossSum" | "lossWeight"): number =>
        batches
          .flatMap((each) => model.evaluate({ batch: each }))
          .reduce((sum, outcome) => sum + outcome[of], 0);
      for (const of of ["lossSum", "lossWeight"] as const) {
        expect(sumOf(alone, of)).toBeCloseTo(sumOf([batch], of), 4);
      }
      const whole = observe(model, batch).gradient;
      const sum = new Float64Array(whole.length);
      for (const each of alone) {
        for (const [n, value] of observe(model, each).gradient.entries()) sum[n]! += value;
      }
      expect(relativeError([...whole], [...sum], 0.01)).toBeLessThan(1e-4);
    });
  });

  it("is 1 at each target's end alone, of every row alike, for distances in time", () => {
    const { positionWeights, weights } = pairsLastStep(batch);
    expect(weights).toBeUndefined();
    const ends = pairs.map(({ target }) => target.length);
    const expected = Array.from({ length: numSteps }, (_, t) =>
      ends.map((end) => (t === end ? 1 : 0)),
    );
    expect([...positionWeights!]).toEqual(expected.flat());
  });

  it("is never read behind a target's end", () => {
    withModel((model) => {
      const last = pairsLastStep(batch);
      const positionWeights = last.positionWeights!.map((weight, n) => {
        const [t, row] = [Math.floor(n / batch.numRows), n % batch.numRows];
        return t > batch.target.lengths[row]! ? NaN : weight;
      });
      expect(positionWeights.some(Number.isNaN)).toBe(true);
      const padded = { ...last, positionWeights };
      expect(observe(model, padded).gradient).toEqual(observe(model, last).gradient);
    });
  });

  it.each([
    ["too few", (ones: Float32Array) => ones.subarray(1), `expected ${numSteps} steps × 4 rows`],
    ["a negative one", (ones: Float32Array) => ones.with(1, -1), "of step 0, row 1 is -1"],
    ["no number", (ones: Float32Array) => ones.with(0, NaN), "of step 0, row 0 is NaN"],
    ["an infinite one", (ones: Float32Array) => ones.with(2, Infinity), "row 2 is Infinity"],
  ])("is refused where there is %s", (_, change, told) => {
    withModel((model) => {
      const ones = withWeights(() => 1);
      const wrong = { ...ones, positionWeights: change(ones.positionWeights!) };
      expect(() => model.evaluate({ batch: wrong })).toThrow(`pair batch: positionWeights`);
      expect(() => model.evaluate({ batch: wrong })).toThrow(told);
    });
  });
});

describe("diagnose", () => {
  const specOf = (changes: Readonly<Record<string, unknown>>): EncoderDecoderSpec =>
    pairSpecOf({ cell: "gru", attention: "additive", ...changes });

  it("tells of both stacks, of the attention and of the next update, and leaves no tensor", () => {
    const none = memory().numTensors;
    const spec = specOf({ bidirectionalEncoder: true, numLayers: 2 });
    const model = createEncoderDecoder(spec);
    const settings = { seed: 3, optimizer: { kind: "adam" }, learningRate: 0.01 };
    const trainer = createTrainer({ model, ...settings });
    const pairs = [5, 6, 7].map((seed) => randomPair(spec, seed));
    const input = { batch: pairBatchOf([pairs.slice(0, 2), pairs.slice(2)]) };
    const lastStep = { batch: pairsLastStep(input.batch) };
    const found = diagnose({ model, trainer, input, lastStep, seed: 3 });
    expect([...trainer.parameters]).toEqual([...initialParameters(spec, 3)]);
    const { loss, gradientNorm } = trainer.trainStep(input);
    expect([found.loss, found.gradient.global]).toEqual([loss, gradientNorm]);
    expect(found.layers.map(({ name }) => name)).toEqual([
      "encoder.layers.0.forward",
      "encoder.layers.0.backward",
      "encoder.layers.1.forward",
      "encoder.layers.1.backward",
      "decoder.layers.0",
      "decoder.layers.1",
    ]);
    const { source, target } = input.batch;
    for (const { name, byDistance, gates, outputGradientNorm } of found.layers) {
      const numSteps = name.startsWith("encoder.") ? source.numSteps : target.numSteps + 1;
      expect(byDistance!.hidden.norms, name).toHaveLength(numSteps);
      expect(byDistance!.hidden.norms[0], name).toBeGreaterThan(0);
      expect(gates.map(({ gate }) => gate)).toEqual(["reset", "update", "candidate"]);
      expect(outputGradientNorm, name).toBeGreaterThan(0);
    }
    expect(found.gradient.layers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["encoder.layers.1", "decoder.layers.1", "attention", "head"]),
    );
    expect(found.update!.tensors).toHaveLength(model.layout.tensors.length);
    model.dispose();
    expect(memory().numTensors).toBe(none);
  });

  it("counts what is saturated in each side's own steps", () => {
    // A relu of negative sums is always zero; of positive ones never.
    const spec = specOf({ cell: "rnn", activation: "relu", attention: "none" });
    const model = createEncoderDecoder(spec);
    const parameters = randomValues(1)(model.layout.size, 0.01);
    tensorView(parameters, model.layout, "encoder.layers.0.bias").fill(-1);
    tensorView(parameters, model.layout, "decoder.layers.0.bias").fill(1);
    const trainer = createTrainer({
      ...{ model, parameters, seed: 1, optimizer: { kind: "sgd" }, learningRate: 0.1 },
    });
    const pairs = [1, 2, 3].map((seed) => randomPair(spec, seed));
    const input = { batch: pairBatchOf([pairs]) };
    const { layers } = diagnose({ model, trainer, input, lastStep: undefined, seed: 1 });
    expect(layers.map(({ name, gates, byDistance }) => [name, gates[0]!.left, byDistance])).toEqual(
      [
        ["encoder.layers.0", 1, undefined],
        ["decoder.layers.0", 0, undefined],
      ],
    );
    model.dispose();
  });
});
