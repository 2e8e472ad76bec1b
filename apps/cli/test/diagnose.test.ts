/** `ostinato diagnose` in this process: what it writes, and what it refuses. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runCommand } from "./support/command.js";
import type { Finished } from "./support/command.js";
import { writeSmallRun } from "./support/small-run.js";
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

const SEQUENCES = `data:
  kind: sequences
  files: lines.jsonl
  validationFraction: 0.2
  testFraction: 0.2
model:
  kind: sequenceModel
  cell: rnn
  hiddenSize: 3
training:
  batchSize: 4
  microShards: 2
evaluation:
  batchSize: 2
`;

const PAIRS = `data:
  kind: pairs
  files: pairs.jsonl
  validationFraction: 0.2
  testFraction: 0.2
model:
  kind: encoderDecoder
  cell: gru
  embeddingSize: 3
  hiddenSize: 4
  bidirectionalEncoder: true
  attention: additive
training:
  batchSize: 6
  microShards: 2
evaluation:
  batchSize: 2
optimizer:
  kind: sgd
  learningRate: 0.5
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-diagnose-"));
  await writeFile(at("task.yaml"), TASK);
  await writeFile(at("text.yaml"), TEXT);
  await writeFile(at("sequences.yaml"), SEQUENCES);
  // Of three to six steps; the target is what was read one step before.
  const lines = Array.from({ length: 10 }, (_, n) => {
    const inputs = Array.from({ length: 3 + (n % 4) }, (__, t) => [Math.sin(n + t)]);
    return JSON.stringify({ inputs, targets: [[0], ...inputs.slice(0, -1)] });
  });
  await writeFile(at("lines.jsonl"), lines.join("\n"));
  await writeFile(at("pairs.yaml"), PAIRS);
  // Sources of one to five letters, targets of none to three.
  const pairs = Array.from({ length: 10 }, (_, n) => {
    const source = "abcab".slice(0, 1 + (n % 5));
    return JSON.stringify({ source, target: source.slice(1, 4), weight: 1 + (n % 2) });
  });
  await writeFile(at("pairs.jsonl"), pairs.join("\n"));
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
    readonly byDistance: Readonly<
      Record<"hidden" | "gates", { readonly norms: readonly number[] }>
    > | null;
    readonly gates: readonly { readonly gate: string }[];
  }[];
  readonly update: {
    readonly learningRate: number;
    readonly tensors: readonly { readonly ratio: number | null }[];
  };
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
    expect(layers[0]!.byDistance!.hidden.norms).toHaveLength(8);
    expect(layers[0]!.byDistance!.gates.norms).toHaveLength(8);
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
    expect(start.layers[0]!.byDistance!.hidden.norms).toHaveLength(6);
    expect(end!.loss).toBeLessThan(start.loss);
  });
});

describe("ostinato diagnose of sequences", () => {
  it("measures the sequences of a run's first step, before and after training", async () => {
    const finished = await diagnose(at("sequences.yaml"), "--json", "--steps", "6");
    expect(finished).toMatchObject({ exitCode: 0, err: "" });
    const { start, training, end } = shownBy(finished).variants[0]!;
    expect(start.layers[0]!.byDistance!.hidden.norms).toHaveLength(6);
    expect(training?.losses).toHaveLength(6);
    // The first step is that of the batch which is measured.
    expect(training?.losses[0]).toBe(start.loss);
    expect(end!.step).toBe(6);
    expect(end!.loss).toBeLessThan(start.loss);
  });

  it("takes tokens in both directions, and compares", async () => {
    await writeFile(
      at("tokens.yaml"),
      SEQUENCES.replace("lines.jsonl", "tokens.jsonl").replace(
        "  hiddenSize: 3",
        "  hiddenSize: 3\n  bidirectional: true\n  output: lastStep\n  loss: { kind: crossEntropy }",
      ),
    );
    const lines = Array.from({ length: 10 }, (_, n) =>
      JSON.stringify({ inputs: [n % 3, 1, 2], targets: n % 2 }),
    );
    await writeFile(at("tokens.jsonl"), lines.join("\n"));
    const args = [at("tokens.yaml"), "--json", "--compare", "model.embeddingDropout=0,0.5"];
    const { variants } = shownBy(await diagnose(...args));
    expect(variants.map(({ value }) => value)).toEqual(["0", "0.5"]);
    expect(variants[0]!.start.layers.map(({ name }) => name)).toEqual([
      "layers.0.forward",
      "layers.0.backward",
    ]);
    expect(variants[1]!.start.gradient.global).not.toBe(variants[0]!.start.gradient.global);
  });

  it("has no distances in time for CTC, whose loss is of a whole sequence", async () => {
    await writeFile(
      at("ctc.yaml"),
      SEQUENCES.replace("lines.jsonl", "labels.jsonl").replace(
        "  hiddenSize: 3",
        "  hiddenSize: 3\n  loss: { kind: ctc }",
      ),
    );
    const line = JSON.stringify({ inputs: [[1], [2], [3]], targets: [1] });
    await writeFile(at("labels.jsonl"), Array<string>(10).fill(line).join("\n"));
    const { start } = shownBy(await diagnose(at("ctc.yaml"), "--json")).variants[0]!;
    expect(start.layers[0]!.byDistance).toBeNull();
    expect(start.gradient.global).toBeGreaterThan(0);
    const svg = at("ctc.svg");
    const { out, exitCode } = await diagnose(at("ctc.yaml"), "--svg", svg);
    expect(exitCode).toBe(0);
    expect(out).toContain("the loss 'ctc' is of whole sequences");
    expect(elementsOf(await readFile(svg, "utf8"))[0]).toMatchObject({ name: "svg" });
  });
});

describe("ostinato diagnose of pairs", () => {
  const STACKS = ["encoder.layers.0.forward", "encoder.layers.0.backward", "decoder.layers.0"];

  it("measures both stacks of an encoder–decoder, before and after training", async () => {
    const finished = await diagnose(at("pairs.yaml"), "--json", "--steps", "6");
    expect(finished).toMatchObject({ exitCode: 0, err: "" });
    const { start, training, end } = shownBy(finished).variants[0]!;
    for (const { layers, gradient, update } of [start, end!]) {
      expect(layers.map(({ name }) => name)).toEqual(STACKS);
      // A step is all of the training part: its longest source has five letters, its targets three and an end.
      expect(layers.map(({ byDistance }) => byDistance!.hidden.norms.length)).toEqual([5, 5, 4]);
      for (const { name, byDistance, gates } of layers) {
        for (const { norms } of Object.values(byDistance!)) {
          expect(norms[0], name).toBeGreaterThan(0);
        }
        expect(gates.map(({ gate }) => gate)).toEqual(["reset", "update", "candidate"]);
      }
      expect(gradient.tensors.map(({ name }) => name)).toContain("attention.query");
      expect(update.tensors).toHaveLength(gradient.tensors.length);
    }
    expect(training?.losses).toHaveLength(6);
    // The first step is that of the batch which is measured.
    expect(training?.losses[0]).toBe(start.loss);
    expect(end!.loss).toBeLessThan(start.loss);
  });

  it("tells apart whose time steps they are, in tables and plots", async () => {
    const svg = at("pairs.svg");
    const compared = ["--compare", "model.attention=none,additive"];
    const { out, exitCode } = await diagnose(at("pairs.yaml"), ...compared, "--svg", svg);
    expect(exitCode).toBe(0);
    const heads = out.split("\n").filter((line) => line.startsWith("gradient norm by distance"));
    expect(heads).toEqual([
      expect.stringContaining("in the decoder, of a loss at the target's end alone"),
      expect.stringContaining("in the encoder, of the same loss, through the decoder"),
    ]);
    for (const from of ["the target's end", "the source's last token"]) {
      expect(out).toContain(`time steps back from ${from}`);
    }
    expect(out).not.toContain("from the last one");
    const texts = elementsOf(await readFile(svg, "utf8"))
      .filter(({ name }) => name === "text")
      .map(({ text }) => text);
    for (const expected of [
      "How far a gradient reaches back: decoder",
      "How far a gradient reaches back: encoder",
      "time steps back from the target's end",
      "time steps back from the source's last token",
      "‖∂L/∂gates‖; dotted: from last to first",
      "additive decoder.layers.0 update",
    ]) {
      expect(texts).toContain(expected);
    }
    // A colour for each variant, whichever its stack.
    expect(texts.filter((text) => text === "none" || text === "additive")).toHaveLength(2);
  });

  it("measures a run of them", async () => {
    await writeSmallRun({ config: at("pairs.yaml"), path: at("pairs"), steps: [4, 7] });
    const finished = await diagnose(at("pairs"), "--json");
    expect(finished).toMatchObject({ exitCode: 0, err: "" });
    const { start } = shownBy(finished).variants[0]!;
    expect(start.step).toBe(4);
    expect(start.layers.map(({ name }) => name)).toEqual(STACKS);
    // Its parameters are the initial ones of the seed 4, its pairs all, in the order of another seed.
    const lossOf = async (seed: number): Promise<number> => {
      const settings = ["--set", `seed=${seed}`, "numerics.backend=wasm"];
      return shownBy(await diagnose(at("pairs.yaml"), "--json", ...settings)).variants[0]!.start
        .loss;
    };
    expect(start.loss).toBeCloseTo(await lossOf(4), 5);
    expect(start.loss).not.toBeCloseTo(await lossOf(5), 3);
  });
});

describe("ostinato diagnose of a run", () => {
  const CONFIG = `${TEXT}optimizer:
  kind: sgd
  learningRate: 0.5
  schedule: { kind: step, stepSize: 3, gamma: 0.1 }
`;

  it("measures its best checkpoint as it is, and the update that would come next", async () => {
    const config = at("sgd.yaml");
    await writeFile(config, CONFIG);
    // The parameters after step 3 are the initial ones of the seed 3.
    await writeSmallRun({ config, path: at("run"), steps: [3, 5] });
    const finished = await diagnose(at("run"), "--json");
    expect(finished).toMatchObject({ exitCode: 0, err: "" });
    const { start, training, end } = shownBy(finished).variants[0]!;
    expect([training, end]).toEqual([null, null]);
    // A run is measured on the backend that it computed with, of this one wasm.
    const settings = ["--set", "seed=3", "--set", "numerics.backend=wasm"];
    const ofConfig = await diagnose(config, "--json", ...settings);
    const expected = shownBy(ofConfig).variants[0]!.start;
    expect(start).toMatchObject({
      ...{ step: 3, loss: expected.loss, gradient: expected.gradient, layers: expected.layers },
      update: { learningRate: 0.05 },
    });
    expect(expected.update.learningRate).toBe(0.5);
    expect((await diagnose(at("run"))).out).toContain("after step 3");
  });

  it("takes a run of sequences", async () => {
    const config = at("sequences-sgd.yaml");
    await writeFile(config, `${SEQUENCES}optimizer: { kind: sgd }\n`);
    await writeSmallRun({ config, path: at("sequences"), steps: [4] });
    const { start } = shownBy(await diagnose(at("sequences"), "--json")).variants[0]!;
    expect(start.step).toBe(4);
    expect(start.layers[0]!.byDistance!.hidden.norms).toHaveLength(6);
  });

  it.each([
    ["training", ["--steps", "2"], "--steps 2: RUN is a run directory"],
    ["other keys", ["--set", "seed=2"], "--set seed=2: RUN is a run directory"],
    ["a comparison", ["--compare", "seed=1,2"], "--compare seed=1,2: RUN is a run directory"],
  ])("refuses %s in one line with exit code 2", async (_, args, told) => {
    const finished = await diagnose(folder, ...args, "--json");
    expect(finished).toMatchObject({ exitCode: 2, out: "" });
    expect(finished.err).toMatch(/^ostinato: [^\n]+\n$/);
    expect(finished.err).toContain(told.replace("RUN", folder));
  });

  it("refuses a text that is not that of the run any more", async () => {
    await writeFile(at("old.yaml"), CONFIG);
    const changes = { data: "b".repeat(64) };
    await writeSmallRun({ config: at("old.yaml"), path: at("old"), steps: [1], changes });
    const finished = await diagnose(at("old"));
    expect(finished).toMatchObject({ exitCode: 2, out: "" });
    expect(finished.err).toContain("the text has changed since the run was trained on it");
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
    const titles = ["How far a gradient reaches back", "The same at the gates"];
    for (const expected of ["rnn", "lstm", ...titles, "head.kernel"]) {
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
    // One of the hidden state and one of the gates.
    expect(curves("#0072b2")).toHaveLength(2);
    expect(curves("#d55e00")).toHaveLength(2);
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
      "data.kind: \"sorting\" is not 'text', 'sequences', 'pairs', 'addingProblem' or 'copyTask'",
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
