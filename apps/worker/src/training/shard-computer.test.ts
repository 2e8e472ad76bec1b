/** Leases on sequences and pairs: what a leaf amounts to depends on nothing but its own samples and the step. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { encodeDataset, END_ID, readPairFiles, readSequenceFiles, START_ID } from "@ostinato/data";
import type { PairDataset, SequenceDataset, TargetsForm } from "@ostinato/data";
import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import { selectBackend } from "@ostinato/kernels/tensor";
import {
  compileModelSpec,
  initialParameters,
  initialStatistics,
  parameterLayout,
  statisticsLayout,
} from "@ostinato/lstm";
import type { EncoderDecoderSpec, SequenceModelSpec } from "@ostinato/lstm";
import { layOutPairs, layOutSequences } from "@ostinato/run";
import type { RunModelSpec } from "@ostinato/run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createShardComputer } from "./shard-computer.js";
import type { AnyShardComputer } from "./shard-computer.js";
import type { TrainedLeaf } from "./compute.js";

const SETTINGS = {
  ...{ seed: 3, batchSize: 5, sequenceLength: null, microShards: 4, evaluationBatchSize: 2 },
  roundedLeaves: undefined,
};
const LEAVES = [0, 1, 2, 3];
const control = { onProgress: () => undefined, isCancelled: () => false };

interface Case {
  readonly name: string;
  readonly form: TargetsForm;
  readonly model: Readonly<Record<string, unknown>>;
  readonly lineOf: (index: number) => object;
}

const lengthOf = (index: number): number => ((index * 7) % 5) + 2;
const stepsOf = <T>(index: number, valueOf: (t: number) => T): T[] =>
  Array.from({ length: lengthOf(index) }, (_, t) => valueOf(t));

const CASES: readonly Case[] = [
  {
    name: "values at every step, with fractions for weights",
    form: { kind: "values", of: "everyStep", range: null },
    model: { loss: { kind: "huber" }, dropout: 0.3, numLayers: 2 },
    lineOf: (index) => ({
      inputs: stepsOf(index, (t) => [Math.sin(index + t), 0.1 * t]),
      targets: stepsOf(index, (t) => Math.cos(index + t)),
      weight: 0.1 * (index + 1),
    }),
  },
  {
    name: "ignored classes of tokens, read in both directions, normalized by batch",
    form: { kind: "classes", of: "everyStep", ignored: -1 },
    model: {
      ...{ bidirectional: true, normalization: "batch", numLayers: 2 },
      loss: { kind: "crossEntropy", ignoredIndex: -1, classWeights: [0.3, 0.7] },
    },
    lineOf: (index) => ({
      inputs: stepsOf(index, (t) => (index + t) % 3),
      targets: stepsOf(index, (t) => ((index + t) % 3) - 1),
    }),
  },
  {
    name: "labels",
    form: { kind: "labelSequences", blank: 0, allowShort: false },
    model: { loss: { kind: "ctc" } },
    lineOf: (index) => ({
      inputs: stepsOf(index, (t) => [t, index % 3]),
      targets: index % 4 === 0 ? [] : [1, 2].slice(0, (index % 2) + 1),
    }),
  },
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-sequence-shards-"));
  await selectBackend("wasm");
});
afterAll(() => rm(folder, { recursive: true }));

async function preparedOf({ form, model, lineOf }: Case): Promise<{
  readonly dataset: SequenceDataset;
  readonly spec: SequenceModelSpec;
  readonly computer: AnyShardComputer;
}> {
  const lines = Array.from({ length: 16 }, (_, index) => `${JSON.stringify(lineOf(index))}\n`);
  await writeFile(join(folder, "lines.jsonl"), lines.join(""));
  const { dataset } = await readSequenceFiles({
    ...{ files: "lines.jsonl", baseDirectory: folder, targets: form },
    ...{ validationFraction: 0.2, testFraction: 0.2 },
  });
  const { inputs, targets } = dataset;
  const spec = compileModelSpec({
    ...{ kind: "sequenceModel", hiddenSize: 3, ...model, numTargets: targets.size },
    input:
      inputs.kind === "values"
        ? inputs
        : { kind: "tokens", vocabularySize: inputs.size, embeddingSize: 2 },
  });
  return { dataset, spec, computer: createShardComputer(spec, encodeDataset(dataset), SETTINGS) };
}

/** Some leaves of step 2, under one node: its gradient, and what each leaf came to. */
function trainLeaves(
  { spec, computer }: { readonly spec: RunModelSpec; readonly computer: AnyShardComputer },
  leaves: readonly number[],
): { readonly gradient: Float32Array; readonly trained: readonly TrainedLeaf[] } {
  const gradient = new Float32Array(parameterLayout(spec).size);
  const task = {
    ...{ step: 2, epochStep: 1, version: 1, leaves },
    parameters: initialParameters(spec, 5),
    statistics: initialStatistics(statisticsLayout(spec)),
    nodes: [{ firstLeaf: leaves[0] ?? 0, numLeaves: leaves.length }],
    states: leaves.map(() => new Float32Array(0)),
  };
  const trained = computer.train(task, {
    ...control,
    onGradient: ({ firstValue, values }) => gradient.set(values, firstValue),
  });
  return { gradient, trained };
}

describe.each(CASES)("leaves of sequences: $name", (story) => {
  it("have the same gradient, losses, moments and samples together and alone", async () => {
    const prepared = await preparedOf(story);
    const { dataset, spec, computer } = prepared;
    const { train } = layOutSequences(dataset, spec, SETTINGS);
    const together = trainLeaves(prepared, LEAVES);
    const alone = LEAVES.map((leaf) => trainLeaves(prepared, [leaf]));
    expect(together.trained).toEqual(alone.flatMap(({ trained }) => trained));
    const sum = sumLeavesInTreeOrder(alone.map(({ gradient }) => gradient));
    expect(Buffer.from(together.gradient.buffer).equals(Buffer.from(sum.buffer))).toBe(true);
    expect(sum.some((value) => value !== 0)).toBe(true);
    // What the coordinator and `verify` expect of each leaf without computing it.
    for (const { result } of together.trained) {
      const expected = train.expectedLeaf({ epoch: 0, epochStep: 1 }, result.leaf);
      expect(result).toMatchObject(expected);
    }
    computer.dispose();
  });

  it("come out the same when their batch was made ahead, be it another task's", async () => {
    const prepared = await preparedOf(story);
    const expected = trainLeaves(prepared, LEAVES);
    for (const ahead of [
      { step: 2, epochStep: 1, leaves: LEAVES },
      { step: 2, epochStep: 1, leaves: LEAVES.slice(1) },
      { step: 1, epochStep: 0, leaves: LEAVES },
    ]) {
      prepared.computer.prepareBatch(ahead);
      expect(trainLeaves(prepared, LEAVES)).toEqual(expected);
    }
    expect(() => {
      prepared.computer.prepareBatch({ step: 2, epochStep: 1, leaves: [99] });
    }).toThrow("are not distinct leaves below");
    prepared.computer.dispose();
  });

  it("are evaluated alike, whichever come with them, each sequence once", async () => {
    const prepared = await preparedOf(story);
    const { dataset, spec, computer } = prepared;
    const evaluate = (leaves: readonly number[]) =>
      computer.evaluate(
        {
          ...{ split: "validation", version: 1, leaves, parameters: initialParameters(spec, 5) },
          statistics: initialStatistics(statisticsLayout(spec)),
        },
        control,
      );
    const all = evaluate(LEAVES);
    expect(all).toEqual([...evaluate([0, 3]), ...evaluate([1, 2])].sort((a, b) => a.leaf - b.leaf));
    const { evaluation } = layOutSequences(dataset, spec, SETTINGS);
    const split = evaluation("validation");
    expect(all.reduce((sum, { numSamples }) => sum + numSamples, 0)).toBe(split.numSamples);
    let lossWeight = 0;
    for (let epochStep = 0; epochStep < split.stepsPerEpoch; epochStep++) {
      lossWeight += split.lossWeightAt({ epoch: 0, epochStep });
    }
    expect(all.reduce((sum, leaf) => sum + leaf.lossWeight, 0)).toBeCloseTo(lossWeight, 12);
    computer.dispose();
  });
});

describe("leaves of pairs", () => {
  it("have the same gradient, losses and samples together and alone, as the data expect them", async () => {
    const { dataset, spec, computer } = await preparedPairs();
    const { train } = layOutPairs(dataset, SETTINGS);
    const together = trainLeaves({ spec, computer }, LEAVES);
    const alone = LEAVES.map((leaf) => trainLeaves({ spec, computer }, [leaf]));
    expect(together.trained).toEqual(alone.flatMap(({ trained }) => trained));
    const sum = sumLeavesInTreeOrder(alone.map(({ gradient }) => gradient));
    expect(Buffer.from(together.gradient.buffer).equals(Buffer.from(sum.buffer))).toBe(true);
    expect(sum.some((value) => value !== 0)).toBe(true);
    for (const { result } of together.trained) {
      const expected = train.expectedLeaf({ epoch: 0, epochStep: 1 }, result.leaf);
      expect(result).toMatchObject(expected);
    }
    computer.dispose();
  });

  it("are refused for a model of other vocabularies", async () => {
    const { dataset, spec, computer } = await preparedPairs();
    computer.dispose();
    const other = { ...spec, targetVocabularySize: 9 };
    expect(() => createShardComputer(other, encodeDataset(dataset), SETTINGS)).toThrow(
      "the model has 4 source and 9 target tokens, the pairs have 4 and 5",
    );
  });
});

/** Letters spelt backwards as words, weighed in fractions; an empty target among them. */
async function preparedPairs(): Promise<{
  readonly dataset: PairDataset;
  readonly spec: EncoderDecoderSpec;
  readonly computer: AnyShardComputer;
}> {
  const lines = Array.from({ length: 16 }, (_, index) => {
    const letters = stepsOf(index, (t) => "abc"[(index + t) % 3] ?? "");
    const target = letters.slice(2).map((letter) => (letter === "a" ? "one" : "two"));
    return `${JSON.stringify({ source: letters.join(""), target, weight: 0.1 * (index + 1) })}\n`;
  });
  await writeFile(join(folder, "pairs.jsonl"), lines.join(""));
  const { dataset } = await readPairFiles({
    ...{ files: "pairs.jsonl", baseDirectory: folder },
    ...{ validationFraction: 0.2, testFraction: 0.2 },
  });
  const { source, target } = dataset.vocabularies;
  const spec = compileModelSpec({
    ...{ kind: "encoderDecoder", hiddenSize: 4, embeddingSize: 3, outputDropout: 0.3 },
    ...{ sourceVocabularySize: source.size, targetVocabularySize: target.size },
    ...{ startId: START_ID, endId: END_ID, bidirectionalEncoder: true },
  });
  return { dataset, spec, computer: createShardComputer(spec, encodeDataset(dataset), SETTINGS) };
}

describe("a data set that is not the model's", () => {
  it("is refused in a sentence", async () => {
    const [first] = CASES;
    const { dataset, computer } = await preparedOf(first!);
    computer.dispose();
    const encoded = encodeDataset(dataset);
    const text = compileModelSpec({ kind: "languageModel", vocabularySize: 3 });
    expect(() => createShardComputer(text, encoded, SETTINGS)).toThrow(
      "a languageModel cannot be trained on sequences",
    );
    const other = compileModelSpec({
      ...{ kind: "sequenceModel", hiddenSize: 3, numTargets: 1 },
      input: { kind: "values", size: 3 },
    });
    expect(() => createShardComputer(other, encoded, SETTINGS)).toThrow(
      "the model reads values of size 3, the sequences have values of size 2",
    );
  });

  it("is refused where bytes of it are missing, before anything is made of it", async () => {
    const [first] = CASES;
    const { dataset, spec, computer } = await preparedOf(first!);
    computer.dispose();
    const encoded = encodeDataset(dataset).subarray(0, -1);
    expect(() => createShardComputer(spec, encoded, SETTINGS)).toThrow("not an encoded data set");
  });
});
