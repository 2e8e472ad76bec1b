/** `ostinato summary` in this process: of configs, of runs, and what it refuses. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runCommand } from "./support/command.js";
import type { Finished } from "./support/command.js";
import { writeSmallRun } from "./support/small-run.js";

let folder: string;
const at = (name: string): string => join(folder, name);

const summary = (...args: string[]): Promise<Finished> => runCommand(folder, "summary", ...args);

const TEXT = `data:
  files: book.txt
model:
  embeddingSize: 4
  hiddenSize: 5
training:
  batchSize: 2
  sequenceLength: 6
  microShards: 2
evaluation:
  batchSize: 2
optimizer:
  kind: momentum
`;

const SEQUENCES = `data:
  kind: sequences
  files: lines.jsonl
  validationFraction: 0.25
  testFraction: 0.25
model:
  kind: sequenceModel
  cell: rnn
  hiddenSize: 3
training:
  batchSize: 8
  microShards: 1
optimizer:
  kind: sgd
`;

/** The longest sequence is of the test part. */
const LENGTHS = [2, 5, 3, 4, 1, 2, 9, 2];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-summary-"));
  await writeFile(at("text.yaml"), TEXT);
  // Twelve symbols, and the one for those that are unknown.
  await writeFile(at("book.txt"), "abcdefghijk ".repeat(20));
  await writeFile(at("sequences.yaml"), SEQUENCES);
  const lines = LENGTHS.map((length) => {
    const inputs = Array.from({ length }, (_, t) => [t, -t]);
    return JSON.stringify({ inputs, targets: inputs.map(([value]) => value) });
  });
  await writeFile(at("lines.jsonl"), lines.join("\n"));
  await writeFile(at("task.yaml"), "data: { kind: addingProblem, length: 7 }\n");
  for (const name of ["text", "sequences"]) {
    await writeSmallRun({ config: at(`${name}.yaml`), path: at(name), steps: [3] });
  }
});

afterAll(() => rm(folder, { recursive: true }));

interface Shown {
  readonly kind: string;
  readonly parameters: number;
  readonly memory: object;
  readonly options: object;
}

async function shownOf(...args: string[]): Promise<Shown> {
  const finished = await summary(...args, "--json");
  expect(finished).toMatchObject({ exitCode: 0, err: "" });
  expect(finished.out.trimEnd()).not.toContain("\n");
  return JSON.parse(finished.out) as Shown;
}

describe("ostinato summary", () => {
  it("reads a text for its symbols, and takes the step's size from the config", async () => {
    const found = await shownOf(at("text.yaml"));
    // Table 13·4; kernel (4 + 5)·20 and bias 20; head 5·13 and 13.
    expect(found.parameters).toBe(52 + 200 + 78);
    expect(found.memory).toMatchObject({ parameterBytes: 4 * 330, optimizerBytes: 4 * 330 });
    expect(found).toMatchObject({
      ...{ event: "summary", source: at("text.yaml"), kind: "languageModel" },
      options: { rows: 2, steps: 6, optimizerSlots: 1 },
    });
  });

  it("changes keys of a config, the slots of another optimizer among them", async () => {
    const found = await shownOf(
      ...[at("text.yaml"), "--set", "optimizer.kind=adam", "optimizer.amsgrad=true"],
      ...["model.embeddingSize=1", "training.sequenceLength=3"],
    );
    // 3 less a symbol, and 3 rows of the kernel.
    expect(found.parameters).toBe(330 - 3 * 13 - 3 * 20);
    expect(found.options).toMatchObject({ steps: 3, optimizerSlots: 3 });
  });

  it("takes the longest of the sequences that are trained on, and no more rows than there are", async () => {
    const found = await shownOf(at("sequences.yaml"));
    // Kernel (2 + 3)·3 and bias 3; head 3·1 and 1.
    expect(found.parameters).toBe(15 + 3 + 4);
    expect(found.options).toMatchObject({ rows: 4, steps: 5, optimizerSlots: 0 });
  });

  it("takes the longest sources and targets of the pairs that are trained on", async () => {
    // Five pairs for training, of up to 3 letters and 2 words; longer ones are held out.
    const pairs = [
      ...["a", "abc", "b", "ab", "ca"].map((source, n) => ({
        source,
        target: ["x", "x"].slice(n % 3),
      })),
      ...[0, 1].map(() => ({ source: "aaaaa", target: ["x", "x", "x", "x"] })),
    ];
    await writeFile(at("pairs.jsonl"), pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
    const config = {
      data: { kind: "pairs", files: "pairs.jsonl", validationFraction: 0.15, testFraction: 0.15 },
      model: {
        kind: "encoderDecoder",
        cell: "rnn",
        attention: "none",
        hiddenSize: 2,
        embeddingSize: 1,
      },
      training: { microShards: 4 },
    };
    await writeFile(at("pairs.yaml"), JSON.stringify(config));
    const found = await shownOf(at("pairs.yaml"));
    // Tables of 4 and 4 (a word, unknown, start, end); kernels (1 + 2)·2 and biases 2; head 2·4 and 4.
    expect(found.parameters).toBe(4 + 4 + 2 * (6 + 2) + 8 + 4);
    expect(found.options).toMatchObject({ rows: 5, sourceSteps: 3, steps: 2 });
  });

  it("takes the config of a task", async () => {
    const found = await shownOf(at("task.yaml"), "--set", "training.batchSize=3");
    expect(found).toMatchObject({ kind: "sequenceModel", options: { rows: 3, steps: 7 } });
  });

  it.each(["text", "sequences"])("says of a run what it says of its config: %s", async (name) => {
    const { options, ...rest } = await shownOf(at(name));
    expect({ ...rest, options }).toEqual({
      ...(await shownOf(at(`${name}.yaml`))),
      source: at(name),
    });
  });

  it("needs no text for a run with a checkpoint, and the text for one without", async () => {
    const config = at("moved.yaml");
    await writeFile(config, TEXT.replace("book.txt", "moved.txt"));
    await writeFile(at("moved.txt"), "abc ".repeat(40));
    await writeSmallRun({ config, path: at("moved"), steps: [1] });
    await writeSmallRun({ config, path: at("young"), steps: [] });
    const { parameters } = await shownOf(at("young"));
    await rm(at("moved.txt"));
    // Four symbols and the one for the unknown.
    expect(parameters).toBe(5 * 4 + 200 + 6 * 5);
    expect((await shownOf(at("moved"))).parameters).toBe(parameters);
    expect(await summary(at("young"))).toMatchObject({ exitCode: 2, out: "" });
  });

  it("prints a table", async () => {
    const { out, exitCode } = await summary(at("text"));
    expect(exitCode).toBe(0);
    const rows = out.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual(["head", "kernel", "5 × 13", "65", "0"]);
    expect(out).toContain("memory of a training step with 2 rows × 6 steps");
  });

  it.each([
    ["a file that is not there", ["none.yaml"], "none.yaml: no such config file"],
    ["a folder that holds no run", ["."], ".: holds no run: there is no config.yaml"],
    ["keys of a run", ["text", "--set", "seed=3"], "--set seed=3: text is a run directory"],
    ["an unknown key", ["text.yaml", "--set", "model.hiden=3"], "model.hiden: unknown key"],
    [
      "a model that cannot be",
      ["text.yaml", "--set", "optimizer.groups=[{match: nothing.*, weightDecay: 0}]"],
      "nothing.*",
    ],
  ])("refuses %s in one line with exit code 2", async (_, [name = "", ...rest], told) => {
    const finished = await summary(join(folder, name), ...rest, "--json");
    expect(finished).toMatchObject({ exitCode: 2, out: "" });
    expect(finished.err).toMatch(/^ostinato: [^\n]+\n$/);
    expect(finished.err.replaceAll(`${folder}/`, "").replace(folder, ".")).toContain(told);
  });

  it("refuses sequences that are not those of the run any more", async () => {
    const path = at("changed");
    const changes = { data: "b".repeat(64) };
    await writeSmallRun({ config: at("sequences.yaml"), path, steps: [1], changes });
    const finished = await summary(path);
    expect(finished).toMatchObject({ exitCode: 2, out: "" });
    expect(finished.err).toContain("the sequences have changed since the run was trained");
  });
});
