import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { RunError } from "../errors/index.js";
import { loadConfig } from "./load-config.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(text: string | Uint8Array): Promise<string> {
  const file = join(folder, "x.yaml");
  await writeFile(file, text);
  return file;
}

/** The code and message of a refusal, with the folder cut off. */
async function refusalOf(text: string | Uint8Array, overrides: string[] = []): Promise<string> {
  try {
    await loadConfig({ file: await fileOf(text), overrides });
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    return `${error.code} ${error.message.replaceAll(`${folder}/`, "")}`;
  }
  return "accepted";
}

const BOOK = "data:\n  files: book.txt\n";

describe("loadConfig", () => {
  it("reads a file and resolves the base directory from its folder", async () => {
    const file = await fileOf(`${BOOK}  baseDirectory: texts\nseed: 5 # a comment\n`);
    const config = await loadConfig({ file });
    expect(config.seed).toBe(5);
    expect(config.data.baseDirectory).toBe(join(folder, "texts"));
  });

  it.each([
    ["My Book #1.txt", "My Book #1.txt"],
    ["&anchor book.txt", "&anchor book.txt"],
    ["!tag book.txt", "!tag book.txt"],
    ["*.txt", "*.txt"],
    ["'My Book #1.txt'", "My Book #1.txt"],
    ["[a.txt, 'b #2.txt']", ["a.txt", "b #2.txt"]],
    ["2024", "2024"],
    ["1e3", "1e3"],
  ])("takes --set data.files=%s for a file's name as it stands", async (text, files) => {
    const file = await fileOf(BOOK);
    const config = await loadConfig({ file, overrides: [`data.files=${text}`, "name=2024"] });
    expect(config.data.files).toEqual(files);
    expect(config.name).toBe("2024");
  });

  it("takes -0 for 0, which it is when the run's own config is read again", async () => {
    const file = await fileOf(
      `${BOOK}optimizer: { kind: averagedSgd, nonmonotonicInterval: -0 }\nevaluation: { everySteps: 5 }\n`,
    );
    const { optimizer } = await loadConfig({ file });
    expect(optimizer).toMatchObject({ nonmonotonicInterval: 0 });
    const { seed } = await loadConfig({ file, overrides: ["seed=-0"] });
    expect(seed).toBe(0);
  });

  it("blames an override for the group that it made", async () => {
    expect(await refusalOf(BOOK, ["data.x.y=1"])).toMatch(
      /^unknownKey --set data\.x\.y: data\.x: /,
    );
    expect(await refusalOf(`${BOOK}  x: 1\n`, [])).toMatch(/^unknownKey x\.yaml:3: data\.x: /);
  });

  it("sets single keys over the file's, the last one winning", async () => {
    const file = await fileOf(`${BOOK}training:\n  epochs: 2\n`);
    const overrides = [
      "training.epochs=3",
      "training.epochs=4",
      "optimizer.schedule.kind=cosine",
      "optimizer.schedule.totalSteps=1e3",
      "optimizer.clipping.kind=none",
      "evaluation.final=false",
      "data.files=[a.txt, b.txt]",
    ];
    const config = await loadConfig({ file, overrides });
    expect(config.training.epochs).toBe(4);
    expect(config.optimizer.schedule).toMatchObject({ kind: "cosine", totalSteps: 1000 });
    expect(config.optimizer.clipping).toEqual({ kind: "none" });
    expect(config.evaluation.final).toBe(false);
    expect(config.data.files).toEqual(["a.txt", "b.txt"]);
  });

  it.each(["*.txt", "npm:some-package/data/*.txt", "a: b.txt", "'unfinished", "x=y.txt"])(
    "takes what is no YAML scalar as it stands: %s",
    async (files) => {
      const file = await fileOf("");
      const config = await loadConfig({ file, overrides: [`data.files=${files}`] });
      expect(config.data.files).toBe(files);
    },
  );

  it("reads a file with a byte-order mark and Windows line ends", async () => {
    expect(await refusalOf("\uFEFFdata:\r\n  files: a\r\nseed: x\r\n")).toBe(
      'wrongType x.yaml:3: seed: "x" is not a whole number from 0 to 4294967295',
    );
  });
});

describe("loadConfig names the line", () => {
  it("of a value that its key does not take", async () => {
    const text = `# header\n${BOOK}\ntraining:\n  epochs: 1\n  microShards: 6\n`;
    expect(await refusalOf(text)).toBe(
      "outOfRange x.yaml:7: training.microShards: 6 is not a power of two between 1 and 1024",
    );
  });

  it("of an unknown key", async () => {
    expect(await refusalOf(`${BOOK}model:\n  hiddensize: 6\n`)).toBe(
      "unknownKey x.yaml:4: model.hiddensize: unknown key; did you mean model.hiddenSize?",
    );
  });

  it("of the group that lacks a key", async () => {
    expect(await refusalOf("seed: 1\ndata:\n  kind: text\n")).toMatch(
      /^missingKey x.yaml:2: data.files: missing/,
    );
  });

  it("of a value in brackets", async () => {
    expect(await refusalOf(`${BOOK}training: {\n  epochs: 1,\n  batchSize: 0 }\n`)).toMatch(
      /^outOfRange x.yaml:5: training.batchSize: 0/,
    );
  });

  it("of a syntax error", async () => {
    expect(await refusalOf(`${BOOK}training:\n  epochs: [1\n`)).toMatch(
      /^configSyntax x.yaml:\d: not YAML: /,
    );
  });

  it("of a key that stands twice", async () => {
    expect(await refusalOf(`${BOOK}seed: 1\nseed: 2\n`)).toBe(
      "configSyntax x.yaml:4: not YAML: Map keys must be unique",
    );
  });

  it("and names the command line for a value that came from there", async () => {
    expect(await refusalOf(`${BOOK}training:\n  epochs: 1\n`, ["training.epochs=0"])).toBe(
      "outOfRange --set training.epochs: training.epochs: 0 is not a whole number from 1 to 4294967295",
    );
    expect(await refusalOf(BOOK, ["training.epoch=3"])).toBe(
      "unknownKey --set training.epoch: training.epoch: unknown key; did you mean training.epochs?",
    );
  });
});

describe("loadConfig refuses", () => {
  it("a file that does not exist", async () => {
    await expect(loadConfig({ file: join(folder, "none.yaml") })).rejects.toMatchObject({
      code: "configNotFound",
      message: `${join(folder, "none.yaml")}: no such config file`,
    });
  });

  it("a folder", async () => {
    await expect(loadConfig({ file: folder })).rejects.toMatchObject({
      code: "configNotFound",
      message: `${folder}: a folder, not a config file`,
    });
  });

  it("an empty file, for the key that it lacks", async () => {
    expect(await refusalOf("")).toBe(
      "wrongType x.yaml:1: config: null is not a group of keys (name, seed, data, model, training, " +
        "optimizer, evaluation, numerics, checkpoints, cluster)",
    );
  });

  it("bytes that are not UTF-8", async () => {
    expect(await refusalOf(Uint8Array.of(0x64, 0xff, 0xfe))).toBe(
      "configSyntax x.yaml: not UTF-8 text",
    );
  });

  it("aliases that expand without bound", async () => {
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [to, from] of ["ba", "cb", "dc", "ed"]) {
      bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(",")}]`);
    }
    expect(await refusalOf(bomb.join("\n"))).toMatch(/^configSyntax x.yaml: not YAML: /);
  });

  const ALLOWED = "a config has text, numbers, true, false, null, and lists and groups of them";
  it.each([
    ["a group that contains itself", "data: &a\n  files: *a\n", "data.files contains itself"],
    ["a list that does", "data: &a [*a]\n", "data.0 contains itself"],
    ["bytes", "data:\n  files: !!binary aGVsbG8=\n", "data.files is a Buffer"],
    ["a date", "data:\n  files: !!timestamp 2001-12-14\n", "data.files is a Date"],
    ["a set", "data: !!set { a }\n", "data is a Set"],
  ])("%s", async (_, text, words) => {
    expect(await refusalOf(text)).toBe(`configSyntax x.yaml: ${words}; ${ALLOWED}`);
  });

  it("lists and groups deeper than any config's, however deep", async () => {
    for (const depth of [100, 1000, 100_000]) {
      const text = `data: ${"[".repeat(depth)}${"]".repeat(depth)}`;
      expect(await refusalOf(text)).toMatch(
        /^configSyntax x.yaml(?:: data.* is deeper|:1: not YAML: )/,
      );
      // What is too deep for YAML is the name of a file, as it stands.
      const refusal = await refusalOf(BOOK, [text.replace(": ", ".files=")]);
      expect(refusal).toMatch(/^(?:configSyntax x.yaml: data.files.* is deeper|accepted)/);
    }
  });

  it("a name of any length, without comparing it with every key", async () => {
    const name = "k".repeat(1_000_000);
    expect(await refusalOf(`${BOOK}? ${name}\n: 1\n`)).toMatch(/^unknownKey x.yaml:3: k{4000}k*…$/);
  });

  it.each(["training.epochs", "=3", "training..epochs=3", ".=1"])(
    "an override that is not key=value: %s",
    async (override) => {
      expect(await refusalOf(BOOK, [override])).toBe(
        `badOverride --set ${override}: not of the form key=value, such as training.epochs=3`,
      );
    },
  );

  it("an override that leads through a plain value", async () => {
    expect(await refusalOf(BOOK, ["data.files.first=a"])).toBe(
      "badOverride --set data.files.first: the config has no group of keys there",
    );
  });
});
