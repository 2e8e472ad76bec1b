/**
 * Gradients against central differences of a float64 language model written here from the formulas
 * alone, one scalar at a time.
 */
import { selectBackend } from "@ostinato/kernels/tensor";
import { beforeAll, describe, expect, it } from "vitest";

import { parameterLayout } from "../src/index.js";
import type { LanguageModelSpec } from "../src/index.js";
import { createLanguageModel } from "../src/model/index.js";
import { fillDropoutMask } from "../src/random/index.js";
import {
  backends,
  randomParameters,
  randomSegment,
  relativeError,
  specOf,
} from "./language-models.js";
import type { Segment } from "./language-models.js";

const sigma = (z: number): number => 1 / (1 + Math.exp(-z));

interface OracleResult {
  /** Per leaf. */
  readonly lossSums: readonly number[];
  /** Per leaf, laid out [layer][h, c][row][hidden]. */
  readonly states: readonly number[][];
}

function oracle(
  spec: LanguageModelSpec,
  parameters: ArrayLike<number>,
  { batch, states }: Segment,
  dropout: { readonly seed: number; readonly step: number } | undefined,
): OracleResult {
  const { vocabularySize: V, embeddingSize: E, hiddenSize: H, numLayers } = spec;
  const layout = new Map(parameterLayout(spec).tensors.map((tensor) => [tensor.name, tensor]));
  const at = (name: string, row: number, column = 0): number => {
    const { offset, shape } = layout.get(name)!;
    return parameters[offset + row * (shape[1] ?? 1) + column]!;
  };
  const finalStates: number[][] = [];
  const lossSums = batch.leaves.map(({ leaf, firstRow, numRows }, index) => {
    const state = Array.from(states[index]!);
    let lossSum = 0;
    for (let row = 0; row < numRows; row++) {
      const masks = Array.from({ length: numLayers - 1 }, (_, layer) => {
        const mask = new Float32Array(batch.numSteps * H).fill(1);
        if (dropout !== undefined && spec.dropout > 0) {
          const key = { ...dropout, purpose: "dropout", layer, leaf, row } as const;
          fillDropoutMask(key, 1 - spec.dropout, mask);
        }
        return mask;
      });
      for (let t = 0; t < batch.numSteps; t++) {
        const position = t * batch.numRows + firstRow + row;
        const token = batch.inputs[position]!;
        let x = Array.from({ length: E }, (_, j) => at("embedding.table", token, j));
        for (let layer = 0; layer < numLayers; layer++) {
          const hAt = (j: number): number => (2 * layer * numRows + row) * H + j;
          const cAt = (j: number): number => ((2 * layer + 1) * numRows + row) * H + j;
          const before = Array.from({ length: H }, (_, j) => state[hAt(j)]!);
          const joined = [...x, ...before];
          const z = (column: number): number =>
            joined.reduce(
              (sum, value, k) => sum + value * at(`layers.${layer}.kernel`, k, column),
              at(`layers.${layer}.bias`, column),
            );
          x = before.map((_, j) => {
            const cell = sigma(z(H + j)) * state[cAt(j)]! + sigma(z(j)) * Math.tanh(z(2 * H + j));
            state[cAt(j)] = cell;
            return sigma(z(3 * H + j)) * Math.tanh(cell);
          });
          for (const [j, h] of x.entries()) state[hAt(j)] = h;
          // Between layers only: not after the last one.
          if (layer < numLayers - 1) x = x.map((h, j) => h * masks[layer]![t * H + j]!);
        }
        const logits = Array.from({ length: V }, (_, v) =>
          x.reduce((sum, h, j) => sum + h * at("head.kernel", j, v), at("head.bias", v)),
        );
        const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
        const loss = Math.log(total) - logits[batch.targets[position]!]!;
        lossSum += batch.weights[position]! * loss;
      }
    }
    finalStates.push(state);
    return lossSum;
  });
  return { lossSums, states: finalStates };
}

describe.each(backends)("a language model on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each([
    { name: "two layers with dropout", spec: specOf() },
    { name: "one layer", spec: specOf({ numLayers: 1 }) },
    // More symbols than the projected table of layer 0 is made for.
    {
      name: "two layers and a large vocabulary",
      spec: specOf({ vocabularySize: 300, embeddingSize: 2, hiddenSize: 3 }),
    },
  ])("has the losses, states and gradients of the formulas: $name", ({ spec }) => {
    const model = createLanguageModel(spec);
    const parameters = randomParameters(spec, 11);
    model.setParameters(parameters);
    // Two leaves, carried states that are not zero, masked rows in the last step.
    const segment = randomSegment(spec, 4, [2, 1], 5, 3);
    const dropout = { seed: 9, step: 21 };
    const gradients = new Map<string, readonly Float32Array[]>();
    const outcomes = model.computeGradients({
      ...segment,
      ...dropout,
      onGradient: (name, perLeaf) => gradients.set(name, perLeaf),
    });
    model.dispose();

    const expected = oracle(spec, parameters, segment, dropout);
    for (const [index, outcome] of outcomes.entries()) {
      expect(relativeError([outcome.lossSum], [expected.lossSums[index]!])).toBeLessThan(1e-6);
      expect(relativeError(outcome.state, expected.states[index]!)).toBeLessThan(1e-6);
    }
    const step = 1e-4;
    const at = Float64Array.from(parameters);
    const lossSumsAt = (k: number, value: number): readonly number[] => {
      const original = at[k]!;
      at[k] = value;
      const { lossSums } = oracle(spec, at, segment, dropout);
      at[k] = original;
      return lossSums;
    };
    for (const { name, offset, size } of model.layout.tensors) {
      // Every value of a small tensor; of a large one each seventeenth and all large gradients.
      const stride = size <= 200 ? 1 : 17;
      const perLeaf = gradients.get(name)!;
      const large = perLeaf.map((values) => 0.5 * Math.max(...values.map(Math.abs)));
      const picked = Array.from({ length: size }, (_, k) => k).filter(
        (k) =>
          k % stride === 0 || perLeaf.some((values, leaf) => Math.abs(values[k]!) >= large[leaf]!),
      );
      const differences = picked.map((k) => {
        const value = at[offset + k]!;
        const above = lossSumsAt(offset + k, value + step);
        const below = lossSumsAt(offset + k, value - step);
        return above.map((loss, index) => (loss - below[index]!) / (2 * step));
      });
      for (const index of segment.batch.leaves.keys()) {
        const actual = picked.map((k) => perLeaf[index]![k]!);
        const wanted = differences.map((ofLeaf) => ofLeaf[index]!);
        expect(relativeError(actual, wanted), `${name} of leaf ${index}`).toBeLessThan(1e-4);
      }
    }
  });

  it("evaluates without dropout", () => {
    const spec = specOf();
    const model = createLanguageModel(spec);
    const parameters = randomParameters(spec, 3);
    model.setParameters(parameters);
    const segment = randomSegment(spec, 5, [3], 8);
    const [outcome] = model.evaluate(segment);
    model.dispose();
    const expected = oracle(spec, parameters, segment, undefined);
    expect(relativeError([outcome!.lossSum], expected.lossSums)).toBeLessThan(1e-6);
    // 5 steps × 3 rows, of which the last step masks positions 13 (odd ones from 12).
    expect(outcome!.lossWeight).toBe(14);
  });

  it("predicts the logits and the state of one step", () => {
    const spec = specOf({ dropout: 0 });
    const model = createLanguageModel(spec);
    const parameters = randomParameters(spec, 4);
    model.setParameters(parameters);
    const { batch, states } = randomSegment(spec, 1, [3], 2);
    const { logits, state } = model.predictNext(batch.inputs, states[0]!);
    model.dispose();
    expect(logits.length).toBe(3 * spec.vocabularySize);
    // The loss of each target by the logits must be the oracle's.
    const lossSum = [0, 1, 2].reduce((sum, row) => {
      const ofRow = logits.subarray(row * spec.vocabularySize, (row + 1) * spec.vocabularySize);
      const total = ofRow.reduce((exps, logit) => exps + Math.exp(logit), 0);
      return sum + batch.weights[row]! * (Math.log(total) - ofRow[batch.targets[row]!]!);
    }, 0);
    const expected = oracle(spec, parameters, { batch, states }, undefined);
    expect(relativeError([lossSum], expected.lossSums)).toBeLessThan(1e-6);
    expect(relativeError(state, expected.states[0]!)).toBeLessThan(1e-6);
  });
});
