import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parameterLayout } from "@ostinato/lstm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { compileConfig } from "../config/index.js";
import { layOutPairs } from "./layouts.js";
import { readDataset } from "./read-dataset.js";
import { compileRunModelSpec, modelOfData } from "./run-model.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-run-pairs-"));
});

afterEach(() => rm(folder, { recursive: true }));

/** Pair n of twelve: n + 1 letters a to as many words less one; weights that float32 does not hold. */
const lineOf = (n: number): string =>
  JSON.stringify({
    source: "a".repeat(n + 1),
    target: Array<string>(n).fill("one"),
    weight: 0.1 * (n + 1),
  });

async function made(lines: readonly string[]) {
  await writeFile(join(folder, "a.jsonl"), `${lines.join("\n")}\n`);
  const config = compileConfig(
    {
      data: { kind: "pairs", files: "a.jsonl", baseDirectory: folder },
      model: { kind: "encoderDecoder", hiddenSize: 4, embeddingSize: 3 },
    },
    "x.yaml",
  );
  const { dataset, notes } = await readDataset(config);
  if (dataset.kind !== "pairs") throw new Error("not pairs");
  return { config, dataset, notes };
}

const lines = Array.from({ length: 12 }, (_, n) => lineOf(n));
const settings = { batchSize: 4, sequenceLength: null, microShards: 2, evaluationBatchSize: 2 };

describe("the model of pairs", () => {
  it("has the vocabularies' sizes, start and end", async () => {
    const { config, dataset } = await made(lines);
    const spec = modelOfData(config, dataset);
    // One letter and the unknown one; one word, the unknown one, start and end.
    expect(spec).toMatchObject({
      ...{ sourceVocabularySize: 2, targetVocabularySize: 4, startId: 1, endId: 2 },
    });
    expect(compileRunModelSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    const shapes = new Map(parameterLayout(spec).tensors.map(({ name, shape }) => [name, shape]));
    expect(shapes.get("encoder.embedding.table")).toEqual([2, 3]);
    expect(shapes.get("head.kernel")).toEqual([4, 4]);
  });
});

describe("the notes of pairs", () => {
  it("tell how many tokens of the other parts the training part has not", async () => {
    const { notes } = await made([
      ...lines.slice(0, 10),
      '{"source": "xax", "target": ["one"]}',
      '{"source": "a", "target": ["two", "one", "two", "ten"]}',
    ]);
    expect(notes).toEqual([
      "2 source characters of the validation part are none that the training part has",
      "3 target tokens of the test part are none that the training part has",
    ]);
    expect((await made(lines)).notes).toEqual([]);
  });
});

describe("pairs as a run lays them out", () => {
  it("weigh their tokens and ends, leaf by leaf", async () => {
    const { dataset } = await made(lines);
    const { train } = layOutPairs(dataset, { ...settings, seed: 3 });
    expect([train.numSamples, train.stepsPerEpoch]).toEqual([10, 3]);
    let all = 0;
    for (let epochStep = 0; epochStep < 3; epochStep++) {
      const place = { epoch: 1, epochStep };
      const leaves = [0, 1].map((leaf) => {
        const { lossWeight, numSamples } = train.expectedLeaf(place, leaf);
        const { pairs } = train.batch(place, [leaf]);
        expect(numSamples).toBe(pairs.length);
        // Pair n: n words and an end of its weight each.
        const exact = [...pairs].reduce((sum, n) => sum + (n + 1) * Math.fround(0.1 * (n + 1)), 0);
        expect(lossWeight).toBeCloseTo(exact, 10);
        return lossWeight;
      });
      expect(train.lossWeightAt(place)).toBe(leaves[0]! + leaves[1]!);
      all += train.lossWeightAt(place);
    }
    // Σ 0.1 (n + 1)² over the first ten.
    expect(all).toBeCloseTo(38.5, 4);
  });

  it("come in an order of seed and epoch, and in the file's for evaluation", async () => {
    const { dataset } = await made(lines);
    const orderOf = (seed: number, epoch: number): string => {
      const { train } = layOutPairs(dataset, { ...settings, seed });
      const steps = Array.from({ length: 3 }, (_, epochStep) => [
        ...train.batch({ epoch, epochStep }, [0, 1]).pairs,
      ]);
      return steps.flat().join(" ");
    };
    expect(orderOf(3, 0)).toBe(orderOf(3, 0));
    expect(new Set([orderOf(3, 0), orderOf(3, 1), orderOf(4, 0)]).size).toBe(3);
    const { evaluation } = layOutPairs(dataset, { ...settings, seed: 3 });
    const place = { epoch: 0, epochStep: 0 };
    const train = evaluation("train");
    expect([...train.batch(place, [0, 1]).pairs]).toEqual([0, 1]);
    expect(train.describe(place, [1])).toBe("training pairs 2");
    expect(train.isSameEveryEpoch).toBe(true);
    expect(evaluation("test").numSamples).toBe(1);
  });
});
