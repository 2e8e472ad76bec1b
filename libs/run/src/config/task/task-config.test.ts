import { compileModelSpec } from "@ostinato/lstm";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RunError } from "../../errors/index.js";
import { loadConfig, loadRunOrTaskConfig } from "../load-config.js";
import { keysOf } from "../schema-walk.js";
import { compileTaskConfig, taskModelSpec } from "./index.js";
import { taskConfigSchema } from "./task-schema.js";

const adding = { kind: "addingProblem" };
const copy = { kind: "copyTask" };

const compile = (raw: unknown) => compileTaskConfig(raw, () => "x.yaml");

function refusalOf(raw: unknown): string {
  try {
    compile(raw);
  } catch (error) {
    if (error instanceof RunError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("a task config", () => {
  it("has words for what every key takes", () => {
    const without = [...keysOf(taskConfigSchema)].filter(({ meta }) => meta === undefined);
    expect(without.map(({ path }) => path)).toEqual([]);
  });

  it("fills in the defaults of the task and of everything else", () => {
    const { data, training, optimizer, diagnose } = compile({ data: copy });
    expect(data).toEqual({ kind: "copyTask", numSymbols: 10, delay: 100, alphabetSize: 8 });
    expect(training).toEqual({ batchSize: 32, microShards: 1 });
    expect(optimizer).toMatchObject({ kind: "adam", learningRate: 2e-3 });
    expect(diagnose).toEqual({ steps: 0 });
  });

  it.each([
    [adding, { input: { kind: "values", size: 2 }, output: "lastStep", numTargets: 1 }],
    [
      { ...copy, alphabetSize: 4 },
      // Four symbols, the blank and the sign to read; no sign to write.
      {
        input: { kind: "tokens", vocabularySize: 6, embeddingSize: 6 },
        output: "everyStep",
        numTargets: 5,
      },
    ],
  ])("makes the model that %o needs", (data, expected) => {
    const spec = taskModelSpec(compile({ data, model: { cell: "gru" } }));
    expect(spec).toMatchObject({ ...expected, cell: "gru" });
    expect(compileModelSpec(spec)).toEqual(spec);
  });

  it.each([
    [
      { data: { kind: "addingProblem", length: 1 } },
      "outOfRange x.yaml: data.length: 1 is not a whole number from 2 to 65536",
    ],
    [
      { data: { kind: "addingProblem", delay: 3 } },
      "unknownKey x.yaml: data.delay: needs data.kind: copyTask",
    ],
    [
      { data: adding, model: { cell: "elman" } },
      "outOfRange x.yaml: model.cell: \"elman\" is not 'lstm', 'gru' or 'rnn'",
    ],
    [
      { data: adding, model: { input: { kind: "values" } } },
      /^unknownKey x\.yaml: model\.input: unknown key; /,
    ],
    [
      { data: adding, model: { activation: "relu" } },
      "outOfRange x.yaml: model.activation: \"relu\" is not possible: it fits cell 'rnn' only, not 'lstm'",
    ],
    [
      { data: adding, model: { embeddingDropout: 0.2 } },
      "outOfRange x.yaml: model.embeddingDropout: 0.2 is not possible: it must be 0 for inputs that are values, not tokens",
    ],
    [
      { data: adding, model: { loss: { kind: "crossEntropy" } } },
      'outOfRange x.yaml: model.loss.kind: "crossEntropy" is no loss of values, which addingProblem has',
    ],
    [
      { data: copy, model: { loss: { kind: "ctc" } } },
      'outOfRange x.yaml: model.loss.kind: "ctc" is no loss of classes, which copyTask has',
    ],
    [
      { data: adding, training: { batchSize: 2, microShards: 4 } },
      "outOfRange x.yaml: training.microShards: 4 is above training.batchSize (2); every micro-shard needs a row",
    ],
    [
      { data: adding, diagnose: { steps: -1 } },
      "outOfRange x.yaml: diagnose.steps: -1 is not a whole number from 0 to 1000000",
    ],
  ])("refuses %j", (raw, refusal) => {
    expect(refusalOf(raw)).toEqual(
      typeof refusal === "string" ? refusal : expect.stringMatching(refusal),
    );
  });
});

describe("a config to diagnose", () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ostinato-task-"));
    file = join(folder, "task.yaml");
    await writeFile(file, "data:\n  kind: addingProblem\nmodel:\n  cell: rnn\n");
  });

  afterEach(() => rm(folder, { recursive: true }));

  it("is a task or a run, by what its data are", async () => {
    expect((await loadRunOrTaskConfig({ file })).kind).toBe("task");
    await writeFile(file, "data:\n  files: a.txt\n");
    const { kind, config } = await loadRunOrTaskConfig({ file });
    expect(kind).toBe("run");
    expect(config.data).toMatchObject({ baseDirectory: folder });
  });

  it("takes overrides, and says which option a wrong value came with", async () => {
    const options = { file, overrides: ["model.cell=gru"] };
    expect((await loadRunOrTaskConfig(options)).config.model.cell).toBe("gru");
    const compared = { ...options, compared: "model.cell=lstm" };
    expect((await loadRunOrTaskConfig(compared)).config.model.cell).toBe("lstm");
    await expect(loadRunOrTaskConfig({ file, overrides: ["model.cell=x"] })).rejects.toThrow(
      "--set model.cell: model.cell: \"x\" is not 'lstm', 'gru' or 'rnn'",
    );
    await expect(loadRunOrTaskConfig({ file, compared: "model.cell=x" })).rejects.toThrow(
      `${file}: --compare model.cell: model.cell: "x" is not 'lstm', 'gru' or 'rnn'`,
    );
  });

  it("names what data there are", async () => {
    await writeFile(file, "data:\n  kind: sorting\n");
    await expect(loadRunOrTaskConfig({ file })).rejects.toThrow(
      `${file}:2: data.kind: "sorting" is not 'text', 'sequences', 'pairs', 'addingProblem' or 'copyTask'`,
    );
  });

  it("is refused in one line where a run is meant", async () => {
    await expect(loadConfig({ file })).rejects.toThrow(
      `${file}:2: data.kind: "addingProblem" is a task for \`ostinato diagnose\`; a run takes 'text', 'sequences' or 'pairs'`,
    );
  });
});
