/** `ostinato diagnose` in this process: what it writes, and what it refuses. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runCommand } from "./support/command.js";
import type { Finished } from "./support/command.js";
import { elementsOf } from "./support/xml.js";

let folder: string;
const at = (name: string): string => join(folder, name);

const TASK = `data:
  kind: addingProblem
  length: 8
model:
  cell: gru
  hiddenSize: 4
training:
  batchSize: 4
  microShards: 2
`;

const TEXT = `data:
  files: book.txt
model:
  embeddingSize: 4
  hiddenSize: 5
  numLayers: 2
training:
  batchSize: 2
  sequenceLength: 6
  microShards: 2
evaluation:
  batchSize: 2
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-diagnose-"));
  await writeFile(at("task.yaml"), TASK);
  await writeFile(at("text.yaml"), TEXT);
  await writeFile(at("book.txt"), "call me ishmael, some years ago; ".repeat(20));
});

afterAll(() => rm(folder, { recursive: true }));

const diagnose = (...args: string[]): Promise<Finished> => runCommand(folder, "diagnose", ...args);

interface Shown {
  readonly compared: string | null;
  readonly variants: readonly {
    readonly value: string | null;
    readonly start: ShownDiagnosis;
    readonly training: { readonly steps: number; readonly losses: readonly number[] } | null;
    readonly end: ShownDiagnosis | null;
  }[];
}

interface ShownDiagnosis {
  readonly step: number;
  readonly loss: number;
  readonly gradient: { readonly global: number; readonly tensors: readonly { name: string }[] };
  readonly layers: readonly {
    readonly name: string;
    readonly normsByDistance: readonly number[];
    readonly gates: readonly { readonly gate: string }[];
  }[];
  readonly update: { readonly tensors: readonly { readonly ratio: number | null }[] };
}

const shownBy = ({ out }: Finished): Shown => JSON.parse(out) as Shown;

describe("ostinato diagnose --json", () => {
  it("measures a task's model, and nothing else is written", async () => {
    const finished = await diagnose(at("task.yaml"), "--json");
    expect(finished).toMatchObject({ exitCode: 0, err: "" });
    const { compared, variants } = shownBy(finished);
    expect(compared).toBeNull();
    const [variant] = variants;
    expect(variant).toMatchObject({ value: null, training: null, end: null });
    const { layers, gradient, update } = variant!.start;
    expect(layers.map(({ name }) => name)).toEqual(["layers.0"]);
    expect(layers[0]!.normsByDistance).toHaveLength(8);
    expect(layers[0]!.gates.map(({ gate }) => gate)).toEqual(["reset", "update", "candidate"]);
    expect(gradient.tensors).toHaveLength(update.tensors.length);
    expect(gradient.global).toBeGreaterThan(0);
  });

  it("measures again after training, each value of a key from the same seed", async () => {
    const finished = await diagnose(
      ...[at("task.yaml"), "--json", "--steps", "3"],
      ...["--compare", "model.cell=rnn,gru", "--set", "model.hiddenSize=3"],
    );
    const { compared, variants } = shownBy(finished);
    expect(compared).toBe("model.cell");
    expect(variants.map(({ value }) => value)).toEqual(["rnn", "gru"]);
    for (const { start, training, end } of variants) {
      expect([start.step, end?.step]).toEqual([0, 3]);
      expect(training?.losses).toHaveLength(3);
      // The same batch before and after.
      expect(end?.loss).not.toBe(start.loss);
    }
    const alone = await diagnose(
      ...[at("task.yaml"), "--json", "--steps", "3", "--set", "model.hiddenSize=3"],
    );
    expect(shownBy(alone).variants[0]!.end).toEqual(variants[1]!.end);
  });

  it("takes the number of steps from the config where the command says nothing", async () => {
    const finished = await diagnose(at("task.yaml"), "--json", "--set", "diagnose.steps=2");
    expect(shownBy(finished).variants[0]!.training?.steps).toBe(2);
  });

  it("measures a run config's model on its text", async () => {
    const finished = await diagnose(at("text.yaml"), "--json", "--steps", "2");
    expect(finished.exitCode, finished.err).toBe(0);
    const { start, end } = shownBy(finished).variants[0]!;
    expect(start.layers.map(({ name }) => name)).toEqual(["layers.0", "layers.1"]);
    expect(start.layers[0]!.normsByDistance).toHaveLength(6);
    expect(end!.loss).toBeLessThan(start.loss);
  });
});

describe("ostinato diagnose --svg", () => {
  it("draws well-formed XML with a curve for each variant, and the names of all", async () => {
    const svg = at("plots.svg");
    const args = [at("task.yaml"), "--compare", "model.cell=rnn,lstm", "--svg", svg];
    const finished = await diagnose(...args);
    expect(finished.exitCode, finished.err).toBe(0);
    const elements = elementsOf(await readFile(svg, "utf8"));
    expect(elements[0]).toMatchObject({ name: "svg" });
    const texts = elements.filter(({ name }) => name === "text").map(({ text }) => text);
    for (const expected of ["rnn", "lstm", "How far a gradient reaches back", "head.kernel"]) {
      expect(texts).toContain(expected);
    }
    expect(texts).toContain("lstm layers.0 forget");
    // Blue and vermilion, the first two colours; a curve through eight points has at least seven lines after its start.
    const curves = (colour: string) =>
      elements.filter(
        ({ name, attributes }) =>
          name === "path" &&
          attributes["stroke"] === colour &&
          (attributes["d"]?.match(/[LC]|(?<=\d) (?=\d|-)/g)?.length ?? 0) >= 7,
      );
    expect(curves("#0072b2")).toHaveLength(1);
    expect(curves("#d55e00")).toHaveLength(1);
  });

  it("refuses a file that cannot be written", async () => {
    const finished = await diagnose(at("task.yaml"), "--svg", at("none/plots.svg"));
    expect(finished.exitCode).toBe(2);
    expect(finished.err).toContain(`--svg ${at("none/plots.svg")}: cannot be written (ENOENT)`);
  });
});

describe("ostinato diagnose", () => {
  it("shows tables and a chart", async () => {
    const { out, exitCode } = await diagnose(at("task.yaml"));
    expect(exitCode).toBe(0);
    expect(out).toContain("gradient norm by distance in time");
    expect(out).toContain("layers.0 candidate");
    expect(out).toContain("update/weights");
  });

  it.each([
    [
      "an unknown key",
      ["--set", "model.hiddensize=3"],
      "--set model.hiddensize: model.hiddensize: unknown key; did you mean model.hiddenSize?",
    ],
    [
      "a compared value that is none",
      ["--compare", "model.cell=gru,elman"],
      "task.yaml: --compare model.cell: model.cell: \"elman\" is not 'lstm', 'gru' or 'rnn'",
    ],
    [
      "a key to compare that is none",
      ["--compare", "model.cel=gru,rnn"],
      "task.yaml: --compare model.cel: model.cel: unknown key; did you mean model.cell?",
    ],
    ["one value to compare", ["--compare", "model.cell=gru"], "give two or more different values"],
    [
      "a task that is none",
      ["--set", "data.kind=sorting"],
      "data.kind: \"sorting\" is not 'text', 'sequences', 'addingProblem' or 'copyTask'",
    ],
    [
      "a pattern that fits no tensor",
      ["--set", "optimizer.groups=[{match: nothing.*, weightDecay: 0}]"],
      "nothing.*",
    ],
  ])("refuses %s in one line with exit code 2", async (_, args, told) => {
    const finished = await diagnose(at("task.yaml"), ...args, "--json");
    expect(finished).toMatchObject({ exitCode: 2, out: "" });
    expect(finished.err).toMatch(/^ostinato: [^\n]+\n$/);
    expect(finished.err).toContain(told);
  });
});
