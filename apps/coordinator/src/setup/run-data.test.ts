import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadConfig } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { prepareRunData } from "./run-data.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-run-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function configOf(text: string, overrides: readonly string[] = []): Promise<RunConfig> {
  await writeFile(join(folder, "book.txt"), text);
  await writeFile(
    join(folder, "run.yaml"),
    "{ data: { files: book.txt }, model: { embeddingSize: 2, hiddenSize: 2 }, " +
      "training: { batchSize: 4, sequenceLength: 4, microShards: 4 }, evaluation: { batchSize: 4 } }",
  );
  return loadConfig({ file: join(folder, "run.yaml"), overrides });
}

describe("the data of a run", () => {
  it("is refused by the key whose fraction leaves a part without a target", async () => {
    const config = await configOf("abcdefgh".repeat(12), ["data.testFraction=0.02"]);
    await expect(prepareRunData(config, "run.yaml")).rejects.toMatchObject({
      code: "outOfRange",
      message:
        "run.yaml: data.testFraction: 0.02 of the text's 96 characters leaves 1 for the test part; it needs " +
        "at least 2",
    });
  });

  it("is refused by a parameter group that the model has no tensor for", async () => {
    const override = 'optimizer.groups=[{ match: "*.bias" }, { match: "*.weight" }]';
    const config = await configOf("abcdefgh".repeat(12), [override]);
    await expect(prepareRunData(config, "run.yaml")).rejects.toMatchObject({
      code: "outOfRange",
      message:
        'run.yaml: optimizer.groups[1].match is "*.weight"; it must match a tensor: embedding.table, ' +
        "layers.0.kernel, layers.0.bias, head.kernel, head.bias",
    });
  });

  it("is refused by an initializer that the model has no tensor for", async () => {
    const override = 'model.initialization=[{ match: "*.weight", kind: zeros }]';
    const config = await configOf("abcdefgh".repeat(12), [override]);
    await expect(prepareRunData(config, "run.yaml")).rejects.toMatchObject({
      code: "outOfRange",
      message:
        'run.yaml: model.initialization[0].match is "*.weight"; it must match a tensor: ' +
        "embedding.table, layers.0.kernel, layers.0.bias, head.kernel, head.bias",
    });
  });

  it("is refused where no target of a part counts, before training begins", async () => {
    /** Of 20 sequences the last two are the test part, the two before them the validation part. */
    const withTargets = async (targetOf: (index: number) => number): Promise<RunConfig> => {
      const lines = Array.from(
        { length: 20 },
        (_, index) => `{"inputs": [[1]], "targets": ${targetOf(index)}}\n`,
      );
      await writeFile(join(folder, "lines.jsonl"), lines.join(""));
      await writeFile(
        join(folder, "sequences.yaml"),
        "{ data: { kind: sequences, files: lines.jsonl, numClasses: 2 }, " +
          "model: { kind: sequenceModel, output: lastStep, hiddenSize: 2, " +
          "loss: { kind: crossEntropy, classWeights: [0, 1] } }, " +
          "training: { batchSize: 4, microShards: 4 }, evaluation: { batchSize: 4 } }",
      );
      return loadConfig({ file: join(folder, "sequences.yaml") });
    };
    const parts = [
      ["train", (index: number) => (index < 16 ? -100 : 1)],
      ["validation", (index: number) => (index === 16 || index === 17 ? 0 : 1)],
      ["test", (index: number) => (index < 18 ? 1 : -100)],
    ] as const;
    for (const [part, targetOf] of parts) {
      await expect(prepareRunData(await withTargets(targetOf), "run.yaml")).rejects.toMatchObject({
        code: "outOfRange",
        message: expect.stringMatching(
          new RegExp(
            `^run\\.yaml: data\\.files: no target of the ${part} part counts in the loss: .*ignoredIndex`,
          ),
        ),
      });
    }
    const counting = await prepareRunData(await withTargets((index) => index % 2), "run.yaml");
    expect(counting.evaluationWeight("validation")).toBe(1);
  });

  it("comes with notes of what was changed in it and of what training never saw", async () => {
    const text = `${"abcdefg\r\n".repeat(80)}${"ħŋ".repeat(32)}`;
    const { notes } = await prepareRunData(await configOf(text), "run.yaml");
    expect(notes).toEqual([
      expect.stringMatching(/^carriage returns \(CRLF or CR\) read as line feeds in .*book\.txt"$/),
      "64 characters of the test part are none that the training part has",
    ]);
  });
});
